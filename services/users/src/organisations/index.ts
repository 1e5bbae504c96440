export { demandAnotherAdministrator } from './administrators.ts';
export { holds, type Rights, rightsInState } from './rights.ts';
export { organisationRoutes } from './routes.ts';
export { findSettings, holdOrganisation, lockOrganisation } from './state-store.ts';
export {
  countSeenSince,
  emailKey,
  findMembership,
  findPerson,
  findPersonByEmail,
  insertMember,
  insertOrganisation,
  insertPerson,
  type Membership,
  notePresence,
  type Person,
} from './store.ts';
