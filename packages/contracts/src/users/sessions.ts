import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { IdempotencyKeyReused, TooManyRequests } from '../platform/refusals.ts';
import {
  EmailTaken,
  PasswordTooWeak,
  RefreshTokenRefused,
  TooManyAttempts,
  WrongCredentials,
} from './credentials.ts';
import { Login, Me, RegisterOrganisation, SignedIn, WithRefreshToken } from './identity.ts';
import { NoActiveMembership } from './organisations.ts';
import { SecondFactorAsked } from './second-factors.ts';

export * from './session-events.ts';

/** With an `Idempotency-Key` a repetition signs in again instead of storing the answer, which holds tokens. */
export const register = endpoint({
  method: 'POST',
  path: '/api/v1/users/register',
  summary: 'Registers an organisation with its first administrator and signs them in.',
  access: 'public',
  body: RegisterOrganisation,
  replies: { 201: SignedIn },
  refusals: [EmailTaken, PasswordTooWeak, IdempotencyKeyReused, TooManyRequests],
  repeat: 'natural',
});

/** 202: the password is right, and the person has a second factor; `/login/second-factor` finishes it. */
export const login = endpoint({
  method: 'POST',
  path: '/api/v1/users/login',
  summary: 'Signs in with e-mail and password. Starts a session or asks for a second factor.',
  access: 'public',
  body: Login,
  replies: { 200: SignedIn, 202: SecondFactorAsked },
  refusals: [WrongCredentials, NoActiveMembership, TooManyAttempts, TooManyRequests],
  repeat: 'natural',
});

/**
 * The refresh token is used up. For 10 seconds the same client may repeat the request, in case the answer was lost,
 * and gets the same successor; any other use of a used token ends the session.
 */
export const refresh = endpoint({
  method: 'POST',
  path: '/api/v1/users/refresh',
  summary: 'Exchanges a refresh token for a new pair of tokens.',
  access: 'public',
  body: WithRefreshToken,
  replies: { 200: SignedIn },
  refusals: [RefreshTokenRefused],
  repeat: 'natural',
});

export const logout = endpoint({
  method: 'POST',
  path: '/api/v1/users/logout',
  summary: 'Ends the session of a refresh token. The reply is the same for unknown tokens.',
  access: 'public',
  body: WithRefreshToken,
  replies: { 204: z.null() },
  repeat: 'natural',
});

export const me = endpoint({
  method: 'GET',
  path: '/api/v1/users/me',
  summary: 'Returns the caller, their organisation and their permissions.',
  access: 'signed-in',
  replies: { 200: Me },
});
