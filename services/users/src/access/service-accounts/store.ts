import type { serviceAccounts } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import type { GrantedRights } from './scopes.ts';

const columns = `account_id as "accountId", name, created_at as "createdAt", created_by as "createdBy",
                 disabled_at as "disabledAt", version`;

interface NewAccount {
  readonly accountId: string;
  readonly name: string;
  readonly createdBy: string;
}

/** Undefined when the id is taken. */
export function insertAccount(
  tx: Transaction,
  { accountId, name, createdBy }: NewAccount,
  now: Date,
): Promise<serviceAccounts.ServiceAccount | undefined> {
  return tx.first(
    `insert into service_account (tenant_id, account_id, name, created_at, created_by) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, account_id) do nothing
     returning ${columns}`,
    [tx.tenantId, accountId, name, now, createdBy],
  );
}

export function getAccount(
  tx: Transaction,
  accountId: string,
): Promise<serviceAccounts.ServiceAccount | undefined> {
  return tx.first(`select ${columns} from service_account where tenant_id = $1 and account_id = $2`, [
    tx.tenantId,
    accountId,
  ]);
}

/** How many of them may act. */
export async function countEnabledAccounts(tx: Transaction): Promise<number> {
  const row = await tx.first<{ enabled: number }>(
    'select count(*)::int as enabled from service_account where tenant_id = $1 and disabled_at is null',
    [tx.tenantId],
  );
  return row?.enabled ?? 0;
}

/** Ours alone until the end of the transaction. */
export function lockAccount(
  tx: Transaction,
  accountId: string,
): Promise<serviceAccounts.ServiceAccount | undefined> {
  return tx.first(
    `select ${columns} from service_account where tenant_id = $1 and account_id = $2 for no key update`,
    [tx.tenantId, accountId],
  );
}

export interface PageWanted {
  /** The last one of the page before. */
  readonly after: readonly [createdAt: Date, id: string] | undefined;
  readonly limit: number;
}

/** Newest first. */
export function listAccounts(
  tx: Transaction,
  { after, limit }: PageWanted,
): Promise<serviceAccounts.ServiceAccount[]> {
  return tx.rows(
    `select ${columns}
       from service_account
      where tenant_id = $1 and ($2::timestamptz is null or (created_at, account_id) < ($2, $3::uuid))
      order by created_at desc, account_id desc
      limit $4`,
    [tx.tenantId, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}

export async function updateAccount(
  tx: Transaction,
  { accountId, name, disabledAt }: Pick<serviceAccounts.ServiceAccount, 'accountId' | 'name' | 'disabledAt'>,
): Promise<serviceAccounts.ServiceAccount> {
  const row = await tx.first<serviceAccounts.ServiceAccount>(
    `update service_account set name = $3, disabled_at = $4, version = version + 1
      where tenant_id = $1 and account_id = $2
     returning ${columns}`,
    [tx.tenantId, accountId, name, disabledAt],
  );
  if (row === undefined) throw new Error('A service account that was locked is gone');
  return row;
}

/** Whose a key is. */
export type KeyOwner = { readonly accountId: string } | { readonly personId: string };

/** What somebody may do now, and until when that holds at least. */
export interface RightsInForce extends GrantedRights {
  readonly rolesVersion: number;
  readonly rightsChangeAt: Date | null;
}

/**
 * What the owner of a key may do now. Undefined for who may not act: a member who is suspended or gone, a disabled
 * account, and everybody while the organisation is not active.
 */
export function getRights(tx: Transaction, owner: KeyOwner, now: Date): Promise<RightsInForce | undefined> {
  return tx.first<RightsInForce>(
    `with owner as (
       select m.roles_version from member m
        where m.tenant_id = $1 and m.person_id = $2 and m.state = 'active'
       union all
       select a.roles_version from service_account a
        where a.tenant_id = $1 and a.account_id = $3 and a.disabled_at is null
     ), assigned as (
       select role, valid_from, valid_until, valid_from <= $4 and (valid_until is null or valid_until > $4) as in_force
         from role_assignment
        where tenant_id = $1 and (person_id = $2 or account_id = $3)
          and revoked_at is null and (valid_until is null or valid_until > $4)
     )
     select owner.roles_version as "rolesVersion",
            array(select distinct role from assigned where in_force order by role) as roles,
            array(select distinct granted
                    from assigned a
                    join own_role_grants g on g.tenant_id = $1 and g.name = a.role and g.until is null,
                         unnest(g.grants) as granted
                   where a.in_force
                   order by granted) as grants,
            (select min(case when in_force then valid_until else valid_from end) from assigned) as "rightsChangeAt"
       from owner
       join organisation o on o.tenant_id = $1 and o.state = 'active'`,
    [tx.tenantId, ...ownerColumns(owner), now],
    'rights_of_key_owner',
  );
}

/** Undefined for an account that is disabled or was never there. */
export function getRightsOfAccount(
  tx: Transaction,
  accountId: string,
  now: Date,
): Promise<RightsInForce | undefined> {
  return getRights(tx, { accountId }, now);
}

/**
 * Until the end of the transaction nobody suspends, removes or disables the owner or the organisation, and nobody else
 * gives the owner a key; false without one.
 */
export async function lockOwner(tx: Transaction, owner: KeyOwner): Promise<boolean> {
  const [table, column, id] =
    'accountId' in owner
      ? ['service_account', 'account_id', owner.accountId]
      : ['member', 'person_id', owner.personId];
  const found = await tx.first(
    `select 1 from organisation o join ${table} h on h.tenant_id = o.tenant_id
      where o.tenant_id = $1 and h.${column} = $2
        for share of o
        for no key update of h`,
    [tx.tenantId, id],
  );
  return found !== undefined;
}

/** The person and the account; one of them is null. */
export function ownerColumns(owner: KeyOwner): [personId: string | null, accountId: string | null] {
  return 'accountId' in owner ? [null, owner.accountId] : [owner.personId, null];
}
