export { endMembership, type Joining, join } from './members.ts';
export { memberRoutes } from './routes.ts';
export { getMember, memberNameSql } from './store.ts';
