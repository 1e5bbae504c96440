import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { type AnyEndpoint, endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { forServices } from '../permission.ts';
import { personal } from '../personal.ts';
import { Absent } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { LimitReached, mostAtATime } from './limits.ts';
import { changeServiceAccounts, readServiceAccounts } from './permissions.ts';
import { ProgramId, ServiceAccountDisabled } from './service-accounts.ts';

export * from './api-key-text.ts';

/** A permission, or a prefix of some ending in `.*`; `*` is everything the owner may do. */
export const Scope = z
  .string()
  .max(100)
  .regex(/^(?:\*|[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)?\.\*|[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*){2})$/);

/** The longest a key can be good for, and how long it is unless told. */
export const apiKeyLifeDays = { longest: 365, usual: 90 } as const;
const LifeDays = z.int().min(1).max(apiKeyLifeDays.longest).default(apiKeyLifeDays.usual);

export const NewApiKey = z.strictObject({
  keyId: ProgramId,
  name: personal(Name),
  /** Each must be within what the owner may do, and within what the one who makes the key may do. */
  scopes: z.array(Scope).min(1).max(50),
  lifeDays: LifeDays,
});
export type NewApiKey = z.output<typeof NewApiKey>;

export const RotateApiKey = z.strictObject({
  /** How long the old secret goes on working beside the new one: at most 7 days, one unless told. */
  overlapMinutes: z
    .int()
    .min(0)
    .max(7 * 24 * 60)
    .default(24 * 60),
  lifeDays: LifeDays, // of the new secret, from now
});
export type RotateApiKey = z.output<typeof RotateApiKey>;

/** Everything there is to know of a key but its secret. One of `accountId` and `personId` says whose it is. */
export const ApiKey = z.strictObject({
  keyId: Id,
  accountId: Id.nullable(),
  personId: Id.nullable(),
  name: personal(z.string()),
  /** What its newest secret begins with. */
  prefix: z.string(),
  scopes: z.array(z.string()),
  createdAt: Instant,
  createdBy: Id,
  expiresAt: Instant,
  /** When it was last exchanged for an access token, which lasts up to 15 minutes, and from where. */
  lastUsedAt: Instant.nullable(),
  lastUsedFrom: personal(z.string()).nullable(),
  revokedAt: Instant.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** Shown once: only a hash of the secret is kept. */
export const ApiKeyWithSecret = ApiKey.extend({ key: z.string() });
export type ApiKeyWithSecret = z.infer<typeof ApiKeyWithSecret>;

/** What events tell of a key: whose it is, what it may do and until when. Its use is no event. */
const KeyFact = ApiKey.pick({
  keyId: true,
  accountId: true,
  personId: true,
  name: true,
  prefix: true,
  scopes: true,
  expiresAt: true,
});
/** Subject: the key. */
export const created = event('users.api-key-created.v1', KeyFact);
export const rotated = event('users.api-key-rotated.v1', KeyFact.extend({ oldSecretsEndAt: Instant }));
export const revoked = event('users.api-key-revoked.v1', KeyFact);

export class ApiKeyExists extends refusal(z.object({ keyId: z.string() }), {
  code: 'users.api-key-exists',
  kind: 'conflict',
  title: 'An API key with this id exists',
  detail: () =>
    'Its secret was returned once and is not stored. If you do not have it, rotate the key, or revoke it and create one with a new id.',
}) {}

export class ApiKeyEnded extends refusal(z.object({ keyId: z.string() }), {
  code: 'users.api-key-ended',
  kind: 'refused',
  title: 'The API key is revoked or has expired',
  detail: () => 'It cannot be restored. Create a new key.',
}) {}

export class ScopeUnknown extends refusal(z.object({ scopes: z.array(z.string()) }), {
  code: 'users.scope-unknown',
  kind: 'refused',
  title: 'Unknown scope',
  detail: ({ scopes }) => `No permission matches: ${scopes.join(', ')}.`,
}) {}

export class ScopeTooWide extends refusal(
  z.object({ scopes: z.array(z.string()), beyond: z.enum(['owner', 'caller']) }),
  {
    code: 'users.scope-too-wide',
    kind: 'refused',
    title: 'The scopes exceed the permissions of the owner or the caller',
    detail: ({ scopes, beyond }) =>
      beyond === 'owner'
        ? `The owner of the key does not hold: ${scopes.join(', ')}. Assign the owner a role first, or remove the scope.`
        : `You do not hold: ${scopes.join(', ')}. A person who does must create or rotate the key.`,
  },
) {}

/** The same whether it is unknown, mistyped, expired or revoked, or its owner may not act any more. */
export class ApiKeyRefused extends refusal(z.object({}), {
  code: 'users.api-key-refused',
  kind: 'unauthenticated',
  title: 'The API key is not valid',
  detail: () =>
    'It is mistyped, expired, rotated or revoked, or its owner is no longer active. Use a valid key.',
}) {}

const accountPath = '/api/v1/users/service-accounts/{accountId}/keys';
const AccountParams = z.strictObject({ accountId: ProgramId });
const AccountKeyParams = z.strictObject({ accountId: ProgramId, keyId: ProgramId });
const OwnKeyParams = z.strictObject({ keyId: ProgramId });

export const createForAccount = endpoint({
  method: 'POST',
  path: accountPath,
  summary: `Creates an API key for a service account, which can have at most ${mostAtATime.apiKeys}. The secret is returned only once.`,
  access: changeServiceAccounts,
  stepUp: true,
  params: AccountParams,
  body: NewApiKey,
  replies: { 201: ApiKeyWithSecret },
  refusals: [Absent, ApiKeyExists, LimitReached, ServiceAccountDisabled, ScopeUnknown, ScopeTooWide],
  repeat: 'natural',
});

export const listOfAccount = endpoint({
  method: 'GET',
  path: accountPath,
  summary: 'Lists the API keys of a service account, newest first, including expired and revoked ones.',
  access: readServiceAccounts,
  params: AccountParams,
  query: PageQuery,
  replies: { 200: pageOf(ApiKey) },
  refusals: [Absent],
});

export const rotateOfAccount = endpoint({
  method: 'POST',
  path: `${accountPath}/{keyId}/rotate`,
  summary:
    'Rotates the secret of a key. The new secret is returned only once; the old one works until the overlap ends.',
  access: changeServiceAccounts,
  stepUp: true,
  params: AccountKeyParams,
  body: RotateApiKey,
  replies: { 200: ApiKeyWithSecret },
  refusals: [Absent, ApiKeyEnded, ServiceAccountDisabled, ScopeTooWide],
  repeat: 'natural',
});

export const revokeOfAccount = endpoint({
  method: 'POST',
  path: `${accountPath}/{keyId}/revoke`,
  summary:
    'Revokes an API key of a service account, everywhere within seconds. Repeating the request has no effect.',
  access: changeServiceAccounts,
  params: AccountKeyParams,
  replies: { 200: ApiKey },
  refusals: [Absent],
});

const ownPath = '/api/v1/users/me/keys';

export const createOwn = endpoint({
  method: 'POST',
  path: ownPath,
  summary: `Creates an API key that acts as the caller within its scopes; at most ${mostAtATime.apiKeys}. The secret is returned only once.`,
  access: 'signed-in',
  stepUp: true,
  body: NewApiKey,
  replies: { 201: ApiKeyWithSecret },
  refusals: [ApiKeyExists, LimitReached, ScopeUnknown, ScopeTooWide],
  repeat: 'natural',
});

export const listOwn = endpoint({
  method: 'GET',
  path: ownPath,
  summary:
    "Lists the caller's API keys in this organisation, newest first, including expired and revoked ones.",
  access: 'signed-in',
  query: PageQuery,
  replies: { 200: pageOf(ApiKey) },
});

export const rotateOwn = endpoint({
  method: 'POST',
  path: `${ownPath}/{keyId}/rotate`,
  summary:
    "Rotates the secret of one of the caller's keys. The new secret is returned only once; the old one works until the overlap ends.",
  access: 'signed-in',
  stepUp: true,
  params: OwnKeyParams,
  body: RotateApiKey,
  replies: { 200: ApiKeyWithSecret },
  refusals: [Absent, ApiKeyEnded, ScopeTooWide],
  repeat: 'natural',
});

export const revokeOwn = endpoint({
  method: 'POST',
  path: `${ownPath}/{keyId}/revoke`,
  summary:
    "Revokes one of the caller's API keys, everywhere within seconds. Repeating the request has no effect.",
  access: 'signed-in',
  params: OwnKeyParams,
  replies: { 200: ApiKey },
  refusals: [Absent],
});

/** What a key is sent in; longer than any, so that a wrong one is refused as such. */
const KeyText = z.string().min(1).max(500);

/** As RFC 6749 section 5.1 says it, in our spelling. */
export const TokenOfKey = z.strictObject({
  accessToken: z.string(),
  /** Seconds: at most 15 minutes, and never beyond the end of the key or the next change of its owner's roles. */
  expiresIn: z.int(),
  tokenType: z.literal('Bearer'),
});
export type TokenOfKey = z.infer<typeof TokenOfKey>;

/** For programs that call services directly; the gateway takes the key itself. */
export const exchange = endpoint({
  method: 'POST',
  path: '/api/v1/users/api-key-tokens',
  summary: 'Exchanges an API key for an access token that grants what both its owner and its scopes allow.',
  access: 'public',
  body: z.strictObject({ key: KeyText }),
  replies: { 200: TokenOfKey },
  refusals: [ApiKeyRefused],
  repeat: 'natural',
});

/** The same for the gateway, which knows where the key came from. */
export const exchangeOf = endpoint({
  method: 'POST',
  path: '/internal/users/api-key-tokens',
  summary: 'Exchanges an API key and the address it was used from for an access token.',
  access: forServices('gateway'),
  body: z.strictObject({ key: KeyText, address: personal(z.string().max(100)) }),
  replies: { 200: TokenOfKey },
  refusals: [ApiKeyRefused],
  repeat: 'natural',
});

export const apiKeyEndpoints: readonly AnyEndpoint[] = [
  createForAccount,
  listOfAccount,
  rotateOfAccount,
  revokeOfAccount,
  createOwn,
  listOwn,
  rotateOwn,
  revokeOwn,
  exchange,
  exchangeOf,
];
