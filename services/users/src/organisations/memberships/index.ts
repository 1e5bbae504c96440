export { membershipRoutes } from './routes.ts';
export { placesOf, worksSomewhere } from './store.ts';
export { type Switched, type Switching, switchTo } from './switching.ts';
