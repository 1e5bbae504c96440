export { deviceSessionRoutes } from './routes.ts';
