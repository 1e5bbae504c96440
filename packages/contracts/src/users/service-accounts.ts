import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { type AnyEndpoint, endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { LimitReached, mostAtATime } from './limits.ts';
import { changeServiceAccounts, readServiceAccounts } from './permissions.ts';

/** It travels in tokens, which take only what RFC 9562 calls a UUID. */
export const ProgramId = z.uuid().toLowerCase();

/** A program that acts for the organisation. What it may do is in the roles it is given, as with a member. */
export const ServiceAccount = z.strictObject({
  accountId: Id,
  name: z.string(),
  createdAt: Instant,
  createdBy: Id,
  /** Its keys do not work while it is set. */
  disabledAt: Instant.nullable(),
  version: z.int(),
});
export type ServiceAccount = z.infer<typeof ServiceAccount>;

export const NewServiceAccount = z.strictObject({ accountId: ProgramId, name: Name });

/** Subject: the account. */
export const created = event('users.service-account-created.v1', ServiceAccount);
export const changed = event('users.service-account-changed.v1', ServiceAccount);
export const disabled = event('users.service-account-disabled.v1', ServiceAccount);
export const enabled = event('users.service-account-enabled.v1', ServiceAccount);

export class ServiceAccountConflict extends refusal(z.object({ accountId: z.string() }), {
  code: 'users.service-account-conflict',
  kind: 'conflict',
  title: 'A service account with this id exists',
  detail: ({ accountId }) => `${accountId} exists with another name. Choose a new id.`,
}) {}

export class ServiceAccountDisabled extends refusal(z.object({ accountId: z.string() }), {
  code: 'users.service-account-disabled',
  kind: 'refused',
  title: 'The service account is disabled',
  detail: () => 'Enable it first; its keys do not work until then.',
}) {}

const path = '/api/v1/users/service-accounts';
const AccountParams = z.strictObject({ accountId: ProgramId });

export const create = endpoint({
  method: 'POST',
  path,
  summary: `Creates a service account without roles; at most ${mostAtATime.serviceAccounts} can be enabled. Returns 200 if an identical one exists.`,
  access: changeServiceAccounts,
  body: NewServiceAccount,
  replies: { 201: ServiceAccount, 200: ServiceAccount },
  refusals: [ServiceAccountConflict, LimitReached],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: "Lists the organisation's service accounts, newest first.",
  access: readServiceAccounts,
  query: PageQuery,
  replies: { 200: pageOf(ServiceAccount) },
});

export const get = endpoint({
  method: 'GET',
  path: `${path}/{accountId}`,
  summary: 'Returns a service account. Send the ETag as If-Match when updating it.',
  access: readServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent],
});

export const change = endpoint({
  method: 'PATCH',
  path: `${path}/{accountId}`,
  summary: 'Renames a service account. With If-Match, only if it has not changed since it was read.',
  access: changeServiceAccounts,
  params: AccountParams,
  body: z.strictObject({ name: Name }),
  replies: { 200: ServiceAccount },
  refusals: [Absent, Stale],
});

export const disable = endpoint({
  method: 'POST',
  path: `${path}/{accountId}/disable`,
  summary: 'Disables a service account. Its keys stop working within seconds, until it is enabled.',
  access: changeServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent],
});

export const enable = endpoint({
  method: 'POST',
  path: `${path}/{accountId}/enable`,
  summary: 'Enables a service account. Its keys work again unless revoked or expired.',
  access: changeServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent, LimitReached],
});

export const serviceAccountEndpoints: readonly AnyEndpoint[] = [create, list, get, change, disable, enable];
