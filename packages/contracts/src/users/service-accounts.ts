import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { type AnyEndpoint, endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
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
  createdAt: z.iso.datetime(),
  createdBy: Id,
  /** Its keys do not work while it is set. */
  disabledAt: z.iso.datetime().nullable(),
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
  title: 'This id was used for another service account',
  detail: ({ accountId }) => `${accountId} is there already under another name. Choose a new id.`,
}) {}

export class ServiceAccountDisabled extends refusal(z.object({ accountId: z.string() }), {
  code: 'users.service-account-disabled',
  kind: 'refused',
  title: 'The service account is disabled',
  detail: () => 'Enable it first; until then no key of it works.',
}) {}

const path = '/api/v1/users/service-accounts';
const AccountParams = z.strictObject({ accountId: ProgramId });

export const create = endpoint({
  method: 'POST',
  path,
  summary: `Adds a service account, which may do nothing until it is given a role; at most ${mostAtATime.serviceAccounts} are enabled. 200 when it is there just so.`,
  access: changeServiceAccounts,
  body: NewServiceAccount,
  replies: { 201: ServiceAccount, 200: ServiceAccount },
  refusals: [ServiceAccountConflict, LimitReached],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'The service accounts of the organisation, newest first.',
  access: readServiceAccounts,
  query: PageQuery,
  replies: { 200: pageOf(ServiceAccount) },
});

export const get = endpoint({
  method: 'GET',
  path: `${path}/{accountId}`,
  summary: 'One service account; its ETag goes into If-Match of a change.',
  access: readServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent],
});

export const change = endpoint({
  method: 'PATCH',
  path: `${path}/{accountId}`,
  summary: 'Renames a service account; with If-Match only if nobody changed it meanwhile.',
  access: changeServiceAccounts,
  params: AccountParams,
  body: z.strictObject({ name: Name }),
  replies: { 200: ServiceAccount },
  refusals: [Absent, Stale],
});

export const disable = endpoint({
  method: 'POST',
  path: `${path}/{accountId}/disable`,
  summary: 'Stops every key of the service account within seconds; they work again when it is enabled.',
  access: changeServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent],
});

export const enable = endpoint({
  method: 'POST',
  path: `${path}/{accountId}/enable`,
  summary: 'Lets the keys of the service account work again that are neither revoked nor expired.',
  access: changeServiceAccounts,
  params: AccountParams,
  replies: { 200: ServiceAccount },
  refusals: [Absent, LimitReached],
});

export const serviceAccountEndpoints: readonly AnyEndpoint[] = [create, list, get, change, disable, enable];
