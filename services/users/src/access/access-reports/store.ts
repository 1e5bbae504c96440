import type { accessReports } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { memberNameSql } from '../../organisations/members/index.ts';

/**
 * Who could act at a moment (`$2`): members in a period of theirs, and accounts that were enabled. An account that was
 * disabled and enabled again counts as enabled in between.
 */
const activeHolders = `
  select m.person_id as id, 'member' as kind, ${memberNameSql} as name
    from member m
    join person p on p.person_id = m.person_id
   where m.tenant_id = $1 and exists (
     select from member_period s
      where s.tenant_id = $1 and s.person_id = m.person_id
        and s.began_at <= $2 and (s.ended_at is null or s.ended_at > $2))
  union all
  select account_id, 'service-account', name
    from service_account
   where tenant_id = $1 and created_at <= $2 and (disabled_at is null or disabled_at > $2)`;

/** What was assigned at a moment (`$2`): given by then, not yet taken back, and in its time. */
const assignedThen = `
  select coalesce(person_id, account_id) as id, role
    from role_assignment
   where tenant_id = $1 and granted_at <= $2 and (revoked_at is null or revoked_at > $2)
     and valid_from <= $2 and (valid_until is null or valid_until > $2)`;

export interface HolderWithRoles {
  readonly holder: accessReports.RoleHolder;
  readonly roles: readonly string[];
}

interface Row extends accessReports.RoleHolder {
  readonly roles: string[];
}

export interface HoldersWanted {
  readonly at: Date;
  /** Only who has one of these, and only these are told; all roles unless given. */
  readonly roles?: readonly string[];
  readonly afterId: string | undefined;
  readonly limit: number;
}

/** In the order of ids; who had no role is not among them. */
export async function listHolders(tx: TenantTransaction, wanted: HoldersWanted): Promise<HolderWithRoles[]> {
  const { at, roles, afterId, limit } = wanted;
  const rows = await tx.rows<Row>(
    `select h.id, h.kind, h.name, array_agg(distinct a.role order by a.role) as roles
       from (${activeHolders}) as h
       join (${assignedThen}) as a on a.id = h.id
      where ($3::text[] is null or a.role = any($3)) and ($4::uuid is null or h.id > $4)
      group by h.id, h.kind, h.name
      order by h.id
      limit $5`,
    [tx.tenantId, at, roles ?? null, afterId ?? null, limit],
  );
  return rows.map(({ roles: held, ...holder }) => ({ holder, roles: held }));
}

/** Whoever is, or ever was, a member or a service account here; with their name of today. */
export function getHolder(tx: TenantTransaction, id: string): Promise<accessReports.RoleHolder | undefined> {
  return tx.first(
    `select m.person_id as id, 'member' as kind, ${memberNameSql} as name
       from member m join person p on p.person_id = m.person_id
      where m.tenant_id = $1 and m.person_id = $2
     union all
     select account_id, 'service-account', name from service_account where tenant_id = $1 and account_id = $2`,
    [tx.tenantId, id],
  );
}

export async function wasActive(tx: TenantTransaction, id: string, at: Date): Promise<boolean> {
  const row = await tx.first(`select from (${activeHolders}) as h where h.id = $3`, [tx.tenantId, at, id]);
  return row !== undefined;
}

export async function listRoles(tx: TenantTransaction, id: string, at: Date): Promise<string[]> {
  const rows = await tx.rows<{ role: string }>(
    `select distinct role from (${assignedThen}) as a where a.id = $3 order by role`,
    [tx.tenantId, at, id],
  );
  return rows.map(({ role }) => role);
}

/** What the own roles granted at a moment. */
export async function listOwnGrants(tx: TenantTransaction, at: Date): Promise<Map<string, string[]>> {
  const rows = await tx.rows<{ name: string; grants: string[] }>(
    `select name, grants from own_role_grants
      where tenant_id = $1 and since <= $2 and (until is null or until > $2)`,
    [tx.tenantId, at],
  );
  return new Map(rows.map(({ name, grants }) => [name, grants]));
}
