import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { getSigningKeys, listRevocations } from './access-token.ts';
import { login, logout, me, organisation, refresh, register } from './sessions.ts';

export {
  AccessTokenClaims,
  accessToken,
  getSigningKeys,
  listRevocations,
  Revocation,
  SigningKey,
} from './access-token.ts';
export { organisationRegistered, SessionEndReason, sessionEnded, sessionStarted } from './events.ts';
export {
  Email,
  Language,
  Login,
  Me,
  Organisation,
  RegisterOrganisation,
  SignedIn,
  User,
  WithRefreshToken,
} from './identity.ts';
export {
  EmailTaken,
  PasswordProblem,
  PasswordTooWeak,
  RefreshTokenRefused,
  TooManyAttempts,
  WrongCredentials,
} from './refusals.ts';
export { login, logout, me, organisation, refresh, register } from './sessions.ts';

export const endpoints: readonly AnyEndpoint[] = [
  register,
  login,
  refresh,
  logout,
  me,
  organisation,
  getSigningKeys,
  listRevocations,
];

/** None yet: what exists so far is public or open to everyone signed in. */
export const permissions: readonly Permission[] = [];
