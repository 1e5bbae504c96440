export { requireAnotherAdministrator } from './administrators.ts';
export { emailKey } from './email-key.ts';
export { meOf, versionOfMe } from './me.ts';
export { rightsFor } from './proven-rights.ts';
export { holds, mayEndPause, type Rights, rightsInState } from './rights.ts';
export { organisationRoutes } from './routes.ts';
export {
  administrators,
  findSettings,
  holdOrganisation,
  lockOrganisation,
  updateSettings,
  type VersionedSettings,
} from './state-store.ts';
export {
  countSeenSince,
  findMembership,
  findPerson,
  findPersonByEmail,
  insertMember,
  insertOrganisation,
  insertPerson,
  insertRoles,
  type Membership,
  notePresence,
  type Person,
} from './store.ts';
