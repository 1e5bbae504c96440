export { endMembership, type Joining, join } from './members.ts';
export { memberRoutes } from './routes.ts';
export { findMember, shownName } from './store.ts';
