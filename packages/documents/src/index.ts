export { type DocumentParts, type Documents, documentsOf } from './documents.ts';
export { documentRoutes } from './routes.ts';
