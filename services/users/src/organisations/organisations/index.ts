export { requireAnotherAdministrator } from './administrators.ts';
export { meOf, versionOfMe } from './me.ts';
export { rightsFor } from './proven-rights.ts';
export { holds, mayEndPause, type Rights, rightsInState } from './rights.ts';
export { organisationRoutes } from './routes.ts';
export {
  getOrganisationName,
  getSettings,
  listAdministrators,
  lockOrganisation,
  lockOrganisationShared,
  updateSettings,
  type VersionedSettings,
} from './state-store.ts';
export {
  getMembership,
  insertMember,
  insertOrganisation,
  insertRoles,
  type Membership,
} from './store.ts';
