import { builtInRoles } from '@marimo/contracts';
import type { Transaction } from '@marimo/postgres';
import type { RoleRow } from './roles.ts';

interface RolesWanted {
  /** Only this one. */
  readonly name?: string;
  readonly afterName?: string | undefined;
  readonly limit: number;
  readonly now: Date;
}

/** Built-in and own in the order of names. A holder counts who has the role now or will have it. */
export function listRoles(tx: Transaction, { name, afterName, limit, now }: RolesWanted): Promise<RoleRow[]> {
  return tx.rows(
    `with named as (
       select name, true as built_in, null as title, 1 as version from unnest($2::text[]) as built_in (name)
       union all
       select name, false, title, version from own_role where tenant_id = $1 and deleted_at is null
     )
     select n.name, n.built_in as "builtIn", n.title, n.version, coalesce(g.grants, '{}') as grants,
            (select count(distinct coalesce(a.person_id, a.account_id))::int
               from role_assignment a
              where a.tenant_id = $1 and a.role = n.name and a.revoked_at is null
                and (a.valid_until is null or a.valid_until > $3)) as holders
       from named n
       left join own_role_grants g on g.tenant_id = $1 and g.name = n.name and g.until is null
      where ($4::text is null or n.name = $4) and ($5::text is null or n.name collate "C" > $5)
      order by n.name collate "C"
      limit $6`,
    [tx.tenantId, Object.keys(builtInRoles), now, name ?? null, afterName ?? null, limit],
  );
}

export async function getRole(tx: Transaction, name: string, now: Date): Promise<RoleRow | undefined> {
  const [role] = await listRoles(tx, { name, limit: 1, now });
  return role;
}

/**
 * An own role, ours alone until the end of the transaction: nobody assigns it meanwhile. Tells whether it was deleted;
 * undefined when there never was one.
 */
export async function lockOwnRole(tx: Transaction, name: string): Promise<{ deleted: boolean } | undefined> {
  return tx.first(
    `select deleted_at is not null as deleted from own_role where tenant_id = $1 and name = $2 for update`,
    [tx.tenantId, name],
  );
}

export interface OwnRole {
  readonly name: string;
  readonly title: string;
  readonly grants: readonly string[];
}

/** A role of this name that was deleted comes back as another: its past grants stay as they were. */
export async function insertOwnRole(
  tx: Transaction,
  { name, title, grants }: OwnRole,
  now: Date,
): Promise<void> {
  await tx.run(
    `insert into own_role (tenant_id, name, title, created_at) values ($1, $2, $3, $4)
     on conflict (tenant_id, name) do update
        set title = excluded.title, created_at = excluded.created_at, deleted_at = null, version = own_role.version + 1`,
    [tx.tenantId, name, title, now],
  );
  await openGrants(tx, name, grants, now);
}

/** How many there are, without those that are deleted. */
export async function countOwnRoles(tx: Transaction): Promise<number> {
  const row = await tx.first<{ roles: number }>(
    'select count(*)::int as roles from own_role where tenant_id = $1 and deleted_at is null',
    [tx.tenantId],
  );
  return row?.roles ?? 0;
}

export async function updateOwnRole(tx: Transaction, name: string, title: string): Promise<void> {
  await tx.run('update own_role set title = $3, version = version + 1 where tenant_id = $1 and name = $2', [
    tx.tenantId,
    name,
    title,
  ]);
}

export async function deleteOwnRole(tx: Transaction, name: string, now: Date): Promise<void> {
  await closeGrants(tx, name, now);
  await tx.run(
    'update own_role set deleted_at = $3, version = version + 1 where tenant_id = $1 and name = $2',
    [tx.tenantId, name, now],
  );
}

/** A clock that stepped back makes no span that ends before it begins. */
export async function closeGrants(tx: Transaction, name: string, now: Date): Promise<void> {
  await tx.run(
    `update own_role_grants set until = greatest(since, $3) where tenant_id = $1 and name = $2 and until is null`,
    [tx.tenantId, name, now],
  );
}

/** From now on. What was granted for no time at all, because it changed twice in a moment, is overwritten. */
export async function openGrants(
  tx: Transaction,
  name: string,
  grants: readonly string[],
  now: Date,
): Promise<void> {
  await tx.run(
    `insert into own_role_grants (tenant_id, name, since, grants)
     select $1, $2, greatest($3, max(since)), $4 from own_role_grants where tenant_id = $1 and name = $2
     on conflict (tenant_id, name, since) do update set grants = excluded.grants, until = null`,
    [tx.tenantId, name, now, grants],
  );
}

export interface Holders {
  readonly personIds: readonly string[];
  readonly accountIds: readonly string[];
}

/** Who has the role now or will have it; they are given nothing else until the transaction ends. */
export async function lockHoldersOf(tx: Transaction, role: string, now: Date): Promise<Holders> {
  const holding = (column: string) => `
    select ${column} from role_assignment
     where tenant_id = $1 and role = $2 and revoked_at is null and (valid_until is null or valid_until > $3)`;
  const values = [tx.tenantId, role, now];
  const people = await tx.rows<{ id: string }>(
    `select person_id as id from member where tenant_id = $1 and person_id in (${holding('person_id')})
      order by person_id for update`,
    values,
  );
  const programs = await tx.rows<{ id: string }>(
    `select account_id as id from service_account where tenant_id = $1 and account_id in (${holding('account_id')})
      order by account_id for update`,
    values,
  );
  return { personIds: people.map(({ id }) => id), accountIds: programs.map(({ id }) => id) };
}

export interface SpanOfHolder {
  readonly holderId: string;
  readonly role: string;
  readonly from: Date;
  readonly until: Date | null;
}

export function listSpansOfHolders(
  tx: Transaction,
  { personIds, accountIds }: Holders,
  now: Date,
): Promise<SpanOfHolder[]> {
  return tx.rows(
    `select coalesce(person_id, account_id) as "holderId", role, valid_from as "from", valid_until as "until"
       from role_assignment
      where tenant_id = $1 and revoked_at is null and (valid_until is null or valid_until > $4)
        and (person_id = any($2) or account_id = any($3))`,
    [tx.tenantId, personIds, accountIds, now],
  );
}

/** Whatever is remembered by the version of somebody's roles is out of date from here on. */
export async function updateRolesVersion(tx: Transaction, { personIds, accountIds }: Holders): Promise<void> {
  await tx.run(
    'update member set roles_version = roles_version + 1 where tenant_id = $1 and person_id = any($2)',
    [tx.tenantId, personIds],
  );
  await tx.run(
    'update service_account set roles_version = roles_version + 1 where tenant_id = $1 and account_id = any($2)',
    [tx.tenantId, accountIds],
  );
}
