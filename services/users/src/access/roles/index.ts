export { assignmentRoutes } from './assignment-routes.ts';
export { rightsChanged } from './rights-changed.ts';
export { roleRoutes } from './routes.ts';
