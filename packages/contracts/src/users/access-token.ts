import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Instant } from '../measures.ts';
import { forServices } from '../permission.ts';

/**
 * What makes a token one of ours. `users` signs with these and every verifier demands them, each to the letter.
 * The type is RFC 9068's, so that no other kind of token can ever pass for an access token.
 */
export const accessToken = {
  algorithm: 'RS256',
  issuer: 'marimo',
  audience: 'marimo',
  type: 'at+jwt',
  lifetimeSeconds: 15 * 60,
} as const;

/** How young a proof of identity must be for an endpoint that declares `stepUp`. */
export const stepUpWithinSeconds = 10 * 60;

/** How somebody proved who they are, as RFC 8176 names it; `mfa` where two different kinds came together. */
export const AuthenticationMethod = z.enum(['pwd', 'otp', 'swk', 'recovery', 'fed', 'mfa']);
export type AuthenticationMethod = z.infer<typeof AuthenticationMethod>;

/** The claims of an access token; each is required and no other is known. */
export const AccessTokenClaims = z.strictObject({
  iss: z.literal(accessToken.issuer),
  aud: z.literal(accessToken.audience),
  sub: z.uuid(), // the person, or the service account
  tid: z.uuid(), // the organisation
  sid: z.uuid(), // the session, or the API key
  rv: z.int().min(0), // the version of the roles below; grows when they change
  roles: z.array(z.string().max(40)).max(50),
  // What the organisation's own roles grant; the built-in ones everybody knows by name.
  grants: z.array(z.string().max(100)).max(200),
  auth_time: z.int().min(0), // when the person last proved who they are; 0 for a program
  amr: z.array(AuthenticationMethod).max(6), // how they did; empty for a program
  iat: z.number(), // seconds since the epoch with milliseconds, so that what is void at a moment is known exactly
  exp: z.int(),
});
export type AccessTokenClaims = z.infer<typeof AccessTokenClaims>;

/** An RSA public key as RFC 7517 writes it. */
export const SigningKey = z.strictObject({
  kty: z.literal('RSA'),
  use: z.literal('sig'),
  alg: z.literal(accessToken.algorithm),
  kid: z.string().min(1).max(100),
  n: z.string(),
  e: z.string(),
});
export type SigningKey = z.infer<typeof SigningKey>;

export const getSigningKeys = endpoint({
  method: 'GET',
  path: '/api/v1/users/.well-known/jwks.json',
  summary: 'Returns the public keys that verify access tokens (RFC 7517).',
  access: 'public',
  replies: { 200: z.strictObject({ keys: z.array(SigningKey) }) },
  polled: true,
});

/**
 * By command. A key that is due is made by schedule. Without `compromised` nobody notices: the next key is published ten
 * minutes before it signs, and the old one verifies until its last token has ended.
 */
export const rotateSigningKeys = endpoint({
  method: 'POST',
  path: '/internal/users/signing-keys/rotate',
  summary: 'Creates the next signing key; `compromised` invalidates all others at once.',
  access: forServices('operator'),
  body: z.strictObject({ compromised: z.boolean().default(false) }),
  replies: { 200: z.strictObject({ kid: z.string(), signsFrom: Instant }) },
  repeat: 'natural',
});

/** Access tokens of this session that were issued up to this moment are void: logout, or a change of roles. */
export const Revocation = z.strictObject({
  sessionId: z.uuid(),
  revokedAt: Instant,
});
export type Revocation = z.infer<typeof Revocation>;

/**
 * Without `after`: every revocation young enough to concern a living token. Verifiers poll it every two seconds; it is
 * open within the network, because the ids are random and tell nothing of who they belong to.
 */
export const listRevocations = endpoint({
  method: 'GET',
  path: '/internal/users/revocations',
  summary: 'Lists sessions whose access tokens were revoked, oldest first.',
  access: 'public',
  query: z.strictObject({ after: z.string().max(100).optional() }),
  replies: { 200: z.strictObject({ items: z.array(Revocation), next: z.string() }) },
  polled: true,
});
