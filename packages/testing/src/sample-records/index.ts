export { explaining, type PlanStep } from '../explained.ts';
export { differencesFromMirrorTable, differencesFromTable } from '../record-table.ts';
export { insertManyTools } from './many-tools.ts';
export { partnerService } from './partner-service.ts';
export * as partners from './partners.ts';
export * as rentalInvoices from './rental-invoices.ts';
export * as shelves from './shelves.ts';
export { customFields, numberSeries, partnerMirror, toolService } from './tool-service.ts';
export * as tools from './tools.ts';
