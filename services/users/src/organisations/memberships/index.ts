export { membershipRoutes } from './routes.ts';
export { isActiveSomewhere, listMemberships } from './store.ts';
export { type Switched, type Switching, switchTo } from './switching.ts';
