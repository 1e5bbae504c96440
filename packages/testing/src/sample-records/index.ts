export { explaining, type PlanStep } from '../explained.ts';
export { differencesFromTable } from '../record-table.ts';
export { insertManyTools } from './many-tools.ts';
export * as shelves from './shelves.ts';
export { customFields, knownSuppliers, toolService } from './tool-service.ts';
export * as tools from './tools.ts';
