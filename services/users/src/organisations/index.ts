export { organisationRoutes } from './routes.ts';
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
