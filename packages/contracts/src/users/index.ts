import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { getSigningKeys, listRevocations } from './access-token.ts';
import { deviceSessionEndpoints } from './device-sessions.ts';
import * as granted from './permissions.ts';
import { login, logout, me, organisation, refresh, register } from './sessions.ts';

export {
  AccessTokenClaims,
  AuthenticationMethod,
  accessToken,
  getSigningKeys,
  listRevocations,
  Revocation,
  SigningKey,
  stepUpWithinSeconds,
} from './access-token.ts';
export {
  DeviceSession,
  listMySessions,
  nameMySession,
  revokeMemberSessions,
  revokeMySession,
  revokeMySessions,
} from './device-sessions.ts';
export {
  organisationRegistered,
  SessionEndReason,
  SignInMethod,
  sessionEnded,
  sessionNamed,
  sessionStarted,
} from './events.ts';
export {
  Email,
  Language,
  Line,
  Login,
  Me,
  Organisation,
  OrganisationState,
  Password,
  RegisterOrganisation,
  SignedIn,
  TimeZone,
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
  ...deviceSessionEndpoints,
];

export const permissions: readonly Permission[] = Object.values(granted);
