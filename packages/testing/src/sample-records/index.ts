export * as shelves from './shelves.ts';
export { knownSuppliers, toolService } from './tool-service.ts';
export * as tools from './tools.ts';
