export { closing } from './closing.ts';
export { organisationLifecycleRoutes } from './routes.ts';
