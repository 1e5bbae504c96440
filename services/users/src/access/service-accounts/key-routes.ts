import { Absent, newId } from '@marimo/contracts';
import { accessTokens, apiKeys, limits, serviceAccounts } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import {
  type Deps,
  handle,
  type Route,
  readPage,
  reply,
  requireFound,
  type SignedInCall,
} from '@marimo/service-kit';
import {
  countWorkingKeys,
  getKey,
  insertKey,
  insertSecret,
  listKeys,
  lockKey,
  updateSecretsEnd,
  voidTokens,
} from './key-store.ts';
import { endKey, factOf } from './keys.ts';
import { newestKeys } from './page.ts';
import { requireKnownScopes, requireWithin } from './scopes.ts';
import { newSecret } from './secret.ts';
import { getAccount, getRights, type KeyOwner, lockOwner } from './store.ts';

const dayMs = 24 * 60 * 60 * 1_000;

export function keyRoutes(deps: Deps): readonly Route[] {
  return [...accountKeyRoutes(deps), ...ownKeyRoutes(deps)];
}

function accountKeyRoutes(deps: Deps): readonly Route[] {
  return [
    handle(apiKeys.createForAccount, (call) =>
      call.inTenant(async (tx) => reply(201, await create(tx, deps, call, call.params, call.body))),
    ),
    handle(apiKeys.listOfAccount, (call) =>
      call.readInTenant(async (tx) => {
        const { accountId } = call.params;
        requireFound(await getAccount(tx, accountId), 'service account');
        return reply(200, await page(tx, { accountId }, call.query));
      }),
    ),
    handle(apiKeys.rotateOfAccount, (call) => {
      const { accountId, keyId } = call.params;
      return call.inTenant(async (tx) =>
        reply(200, await rotate(tx, deps, call, { owner: { accountId }, keyId, ...call.body })),
      );
    }),
    handle(apiKeys.revokeOfAccount, (call) => {
      const { accountId, keyId } = call.params;
      return call.inTenant(async (tx) => reply(200, await revoke(tx, deps, { accountId }, keyId)));
    }),
  ];
}

function ownKeyRoutes(deps: Deps): readonly Route[] {
  const ownerOf = (call: Pick<SignedInCall, 'caller'>): KeyOwner => ({ personId: call.caller.userId });
  return [
    handle(apiKeys.createOwn, (call) =>
      call.inTenant(async (tx) => reply(201, await create(tx, deps, call, ownerOf(call), call.body))),
    ),
    handle(apiKeys.listOwn, (call) =>
      call.readInTenant(async (tx) => reply(200, await page(tx, ownerOf(call), call.query))),
    ),
    handle(apiKeys.rotateOwn, (call) => {
      const wanted = { owner: ownerOf(call), ...call.params, ...call.body };
      return call.inTenant(async (tx) => reply(200, await rotate(tx, deps, call, wanted)));
    }),
    handle(apiKeys.revokeOwn, (call) =>
      call.inTenant(async (tx) => reply(200, await revoke(tx, deps, ownerOf(call), call.params.keyId))),
    ),
  ];
}

async function create(
  tx: Transaction,
  { outbox, clock }: Deps,
  call: Pick<SignedInCall, 'caller' | 'tenantId'>,
  owner: KeyOwner,
  { keyId, name, scopes, lifeDays }: apiKeys.NewApiKey,
): Promise<apiKeys.ApiKeyWithSecret> {
  const { caller } = call;
  if (!(await lockOwner(tx, owner))) throw absentOwner(owner);
  const now = clock();
  requireKnownScopes(scopes);
  requireWithin(scopes, await requireRights(tx, owner, now), 'owner');
  requireWithin(scopes, caller, 'caller');
  const { apiKeys: most } = limits.mostAtATime;
  const room = (await countWorkingKeys(tx, owner, now)) < most;
  const made = { keyId, sessionId: newId(), name, scopes: [...new Set(scopes)], createdBy: caller.userId };
  if (!(await insertKey(tx, owner, made, now))) throw new apiKeys.ApiKeyExists({ keyId });
  if (!room) throw new limits.LimitReached({ limited: 'apiKeys', most });
  const secret = newSecret(call.tenantId);
  await insertSecret(tx, keyId, secret, { madeAt: now, validUntil: endOfLife(now, lifeDays) });
  const key = await requireKey(tx, owner, keyId);
  await outbox.add(tx, apiKeys.created, keyId, factOf(key));
  return { ...key, key: secret.text };
}

interface Rotation extends apiKeys.RotateApiKey {
  readonly owner: KeyOwner;
  readonly keyId: string;
}

async function rotate(
  tx: Transaction,
  { outbox, clock }: Deps,
  call: Pick<SignedInCall, 'caller' | 'tenantId'>,
  { owner, keyId, overlapMinutes, lifeDays }: Rotation,
): Promise<apiKeys.ApiKeyWithSecret> {
  if (!(await lockKey(tx, owner, keyId))) throw new Absent({ resource: 'API key' });
  const now = clock();
  const present = await requireKey(tx, owner, keyId);
  if (present.revokedAt !== null || present.expiresAt <= now) throw new apiKeys.ApiKeyEnded({ keyId });
  await requireRights(tx, owner, now);
  // Who gets the new secret can do what the key can.
  requireWithin(present.scopes, call.caller, 'caller');

  const validUntil = endOfLife(now, lifeDays);
  const overlapMs = overlapMinutes * 60_000;
  const oldSecretsEndAt = earlier(validUntil, toTheSecond(now.getTime() + overlapMs));
  await updateSecretsEnd(tx, keyId, oldSecretsEndAt);
  // Tokens of an old secret could last longer than the secret may: they are fetched anew.
  if (overlapMs < accessTokens.accessToken.lifetimeSeconds * 1_000) await voidTokens(tx, { keyId }, now);
  const secret = newSecret(call.tenantId);
  await insertSecret(tx, keyId, secret, { madeAt: now, validUntil });
  const key = await requireKey(tx, owner, keyId);
  const fact = { ...factOf(key), oldSecretsEndAt };
  await outbox.add(tx, apiKeys.rotated, keyId, fact);
  return { ...key, key: secret.text };
}

async function revoke(
  tx: Transaction,
  { outbox, clock }: Deps,
  owner: KeyOwner,
  keyId: string,
): Promise<apiKeys.ApiKey> {
  if (!(await lockKey(tx, owner, keyId))) throw new Absent({ resource: 'API key' });
  await endKey(tx, outbox, keyId, clock());
  return requireKey(tx, owner, keyId);
}

function page(tx: Transaction, owner: KeyOwner, query: { limit: number; after?: string | undefined }) {
  return readPage(query, newestKeys, (slice) => listKeys(tx, owner, slice));
}

async function requireRights(tx: Transaction, owner: KeyOwner, now: Date) {
  const rights = await getRights(tx, owner, now);
  if (rights !== undefined) return rights;
  if ('accountId' in owner) throw new serviceAccounts.ServiceAccountDisabled(owner);
  throw absentOwner(owner);
}

async function requireKey(tx: Transaction, owner: KeyOwner, keyId: string): Promise<apiKeys.ApiKey> {
  return requireFound(await getKey(tx, owner, keyId), 'API key');
}

function absentOwner(owner: KeyOwner): Absent {
  return new Absent({ resource: 'accountId' in owner ? 'service account' : 'member' });
}

function endOfLife(now: Date, lifeDays: number): Date {
  return toTheSecond(now.getTime() + lifeDays * dayMs);
}

/** Down: tokens end on a second, and none may outlive its key. */
function toTheSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1_000) * 1_000);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
