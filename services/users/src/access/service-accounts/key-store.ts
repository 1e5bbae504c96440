import type { apiKeys } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import type { PresentedKey } from './secret.ts';
import { type KeyOwner, ownerColumns, type PageWanted } from './store.ts';

const columns = `k.key_id as "keyId", k.account_id as "accountId", k.person_id as "personId", k.name, s.prefix,
                 k.scopes, k.created_at as "createdAt", k.created_by as "createdBy", s.valid_until as "expiresAt",
                 k.last_used_at as "lastUsedAt", k.last_used_from as "lastUsedFrom", k.revoked_at as "revokedAt"`;

/** The newest secret outlives those before it. */
const newestSecret = `cross join lateral (
       select prefix, valid_until from api_key_secret
        where tenant_id = k.tenant_id and key_id = k.key_id
        order by made_at desc, valid_until desc
        limit 1) s`;

interface NewKey {
  readonly keyId: string;
  readonly sessionId: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdBy: string;
}

/** False when the id is taken. */
export async function insertKey(
  tx: Transaction,
  owner: KeyOwner,
  { keyId, sessionId, name, scopes, createdBy }: NewKey,
  now: Date,
): Promise<boolean> {
  const inserted = await tx.run(
    `insert into api_key (tenant_id, key_id, session_id, person_id, account_id, name, scopes, created_at, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, key_id) do nothing`,
    [tx.tenantId, keyId, sessionId, ...ownerColumns(owner), name, scopes, now, createdBy],
  );
  return inserted === 1;
}

export async function insertSecret(
  tx: Transaction,
  keyId: string,
  { hash, prefix }: Pick<PresentedKey, 'hash' | 'prefix'>,
  { madeAt, validUntil }: { readonly madeAt: Date; readonly validUntil: Date },
): Promise<void> {
  await tx.run(
    `insert into api_key_secret (tenant_id, secret_hash, key_id, prefix, made_at, valid_until)
     values ($1, $2, $3, $4, $5, $6)`,
    [tx.tenantId, hash, keyId, prefix, madeAt, validUntil],
  );
}

/** None of the secrets there are works longer than this. */
export async function updateSecretsEnd(tx: Transaction, keyId: string, validUntil: Date): Promise<void> {
  await tx.run(
    `update api_key_secret set valid_until = $3 where tenant_id = $1 and key_id = $2 and valid_until > $3`,
    [tx.tenantId, keyId, validUntil],
  );
}

/** The owner's own key and no other's. */
export function getKey(tx: Transaction, owner: KeyOwner, keyId: string): Promise<apiKeys.ApiKey | undefined> {
  return tx.first(
    `select ${columns}
       from api_key k ${newestSecret}
      where k.tenant_id = $1 and k.key_id = $4 and (k.person_id = $2 or k.account_id = $3)`,
    [tx.tenantId, ...ownerColumns(owner), keyId],
  );
}

/** Newest first. */
export function listKeys(
  tx: Transaction,
  owner: KeyOwner,
  { after, limit }: PageWanted,
): Promise<apiKeys.ApiKey[]> {
  return tx.rows(
    `select ${columns}
       from api_key k ${newestSecret}
      where k.tenant_id = $1 and (k.person_id = $2 or k.account_id = $3)
        and ($4::timestamptz is null or (k.created_at, k.key_id) < ($4, $5::uuid))
      order by k.created_at desc, k.key_id desc
      limit $6`,
    [tx.tenantId, ...ownerColumns(owner), after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}

/** How many keys of this owner work. */
export async function countWorkingKeys(tx: Transaction, owner: KeyOwner, now: Date): Promise<number> {
  const row = await tx.first<{ working: number }>(
    `select count(*)::int as working
       from api_key k ${newestSecret}
      where k.tenant_id = $1 and (k.person_id = $2 or k.account_id = $3)
        and k.revoked_at is null and s.valid_until > $4`,
    [tx.tenantId, ...ownerColumns(owner), now],
  );
  return row?.working ?? 0;
}

/** Ours alone until the end of the transaction; false when this owner has no such key. */
export async function lockKey(tx: Transaction, owner: KeyOwner, keyId: string): Promise<boolean> {
  const found = await tx.first(
    `select 1 from api_key
      where tenant_id = $1 and key_id = $4 and (person_id = $2 or account_id = $3)
        for no key update`,
    [tx.tenantId, ...ownerColumns(owner), keyId],
  );
  return found !== undefined;
}

/** The key a secret belongs to, ours alone until the end of the transaction. */
export async function lockKeyOfSecret(tx: Transaction, hash: Buffer): Promise<boolean> {
  const found = await tx.first(
    `select 1
       from api_key_secret s
       join api_key k on k.tenant_id = s.tenant_id and k.key_id = s.key_id
      where s.tenant_id = $1 and s.secret_hash = $2
        for no key update of k`,
    [tx.tenantId, hash],
    'lock_key_of_secret',
  );
  return found !== undefined;
}

export interface KnownKey {
  readonly keyId: string;
  readonly sessionId: string;
  readonly accountId: string | null;
  readonly personId: string | null;
  readonly scopes: readonly string[];
  readonly revokedAt: Date | null;
  /** Of the secret that was presented. */
  readonly validUntil: Date;
}

/** A statement of its own, after the lock: joined into the locking one it would be read as it was before we waited. */
export function getKeyOfSecret(tx: Transaction, hash: Buffer): Promise<KnownKey | undefined> {
  return tx.first<KnownKey>(
    `select k.key_id as "keyId", k.session_id as "sessionId", k.account_id as "accountId", k.person_id as "personId",
            k.scopes, k.revoked_at as "revokedAt", s.valid_until as "validUntil"
       from api_key_secret s
       join api_key k on k.tenant_id = s.tenant_id and k.key_id = s.key_id
      where s.tenant_id = $1 and s.secret_hash = $2`,
    [tx.tenantId, hash],
    'read_key_of_secret',
  );
}

export async function updateLastUse(
  tx: Transaction,
  keyId: string,
  address: string,
  now: Date,
): Promise<void> {
  await tx.run(
    'update api_key set last_used_at = $3, last_used_from = $4 where tenant_id = $1 and key_id = $2',
    [tx.tenantId, keyId, now, address],
    'note_key_use',
  );
}

/** Keys of one owner, of all owners, or one key. */
export type KeysMeant = KeyOwner | { readonly all: true } | { readonly keyId: string };

/** As `$2` to `$5`: person, account, key, and whether all are meant. */
const meant = '(k.person_id = $2 or k.account_id = $3 or k.key_id = $4 or $5)';

function meantColumns(keys: KeysMeant): [string | null, string | null, string | null, boolean] {
  if ('all' in keys) return [null, null, null, true];
  if ('keyId' in keys) return [null, null, keys.keyId, false];
  return [...ownerColumns(keys), null, false];
}

/** Not before the newest token of a key: the moment was taken before we waited for its lock. */
const insertVoid = `insert into revocation (session_id, revoked_at)
       select session_id, greatest(last_used_at, $6) from held order by session_id
       on conflict (session_id) do update
          set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at),
              transaction_id = excluded.transaction_id`;

/** Ends the keys that work, and voids their tokens; tells which they were. */
export function endKeys(tx: Transaction, keys: KeysMeant, now: Date): Promise<apiKeys.ApiKey[]> {
  return tx.rows(
    `with held as (
       update api_key k set revoked_at = $6
        where k.tenant_id = $1 and ${meant} and k.revoked_at is null
          and exists (select from api_key_secret s
                       where s.tenant_id = k.tenant_id and s.key_id = k.key_id and s.valid_until > $6)
       returning k.*
     ), voided as (${insertVoid})
     select ${columns} from held k ${newestSecret} order by k.key_id`,
    [tx.tenantId, ...meantColumns(keys), now],
  );
}

/** Voids the tokens of keys that go on working. */
export async function voidTokens(tx: Transaction, keys: KeysMeant, now: Date): Promise<void> {
  await tx.run(
    `with held as (
       select session_id, last_used_at from api_key k
        where k.tenant_id = $1 and ${meant} and k.revoked_at is null
          for no key update
     ) ${insertVoid}`,
    [tx.tenantId, ...meantColumns(keys), now],
  );
}

/** What a person wrote into their keys, and where they used them from. */
export async function forgetPersonIn(tx: Transaction, personId: string): Promise<void> {
  await tx.run(
    `update api_key set name = '', last_used_from = null where tenant_id = $1 and person_id = $2`,
    [tx.tenantId, personId],
  );
}
