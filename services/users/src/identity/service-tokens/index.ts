export { serviceTokenRoutes } from './routes.ts';
