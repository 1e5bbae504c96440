export { entryImportRoutes } from './routes.ts';
