export { assignmentRoutes } from './assignment-routes.ts';
export { roleRoutes } from './routes.ts';
