export { closing } from './closing.ts';
export { organisationLifeRoutes } from './routes.ts';
