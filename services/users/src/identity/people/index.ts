export { emailKey } from './email-key.ts';
export {
  countSeenSince,
  getCredentials,
  getCredentialsByEmail,
  getPerson,
  getPersonByEmail,
  insertPerson,
  type LoginCredentials,
  listTenantIds,
  lockAuthentication,
  lockCredentials,
  type Person,
  updateEmail,
  updateEmailVerified,
  updatePassword,
  updatePresence,
  updateProfile,
} from './store.ts';
