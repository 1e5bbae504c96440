export { keptOfPeopleRoutes } from './routes.ts';
