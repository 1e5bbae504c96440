export { accessReportRoutes } from './routes.ts';
