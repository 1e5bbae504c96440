import type { roleAssignments } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { HolderRef } from '../conflicting-duties/index.ts';

/** `$2` is now. */
const assignments = `
  select assignment_id as "assignmentId", person_id as "memberId", account_id as "serviceAccountId", role,
         valid_from as "validFrom", valid_until as "validUntil", granted_at as "grantedAt",
         granted_by as "grantedBy", revoked_at as "revokedAt", revoked_by as "revokedBy",
         case when revoked_at is not null then 'revoked'
              when valid_until <= $2 then 'over'
              when valid_from > $2 then 'planned'
              else 'in-force' end as state
    from role_assignment
   where tenant_id = $1`;

export interface AssignmentFilter {
  readonly memberId?: string | undefined;
  readonly serviceAccountId?: string | undefined;
  readonly role?: string | undefined;
  readonly state?: roleAssignments.RoleAssignmentState | undefined;
  readonly after: readonly [grantedAt: Date, assignmentId: string] | undefined;
  readonly limit: number;
}

export function listAssignments(
  tx: TenantTransaction,
  filter: AssignmentFilter,
  now: Date,
): Promise<roleAssignments.RoleAssignment[]> {
  const { memberId, serviceAccountId, role, state, after: [grantedAt, assignmentId] = [], limit } = filter;
  return tx.rows(
    `select * from (${assignments}) as assigned
      where ($3::uuid is null or "memberId" = $3)
        and ($4::uuid is null or "serviceAccountId" = $4)
        and ($5::text is null or role = $5)
        and ($6::text is null or state = $6)
        and ($7::timestamptz is null or ("grantedAt", "assignmentId") < ($7, $8::uuid))
      order by "grantedAt" desc, "assignmentId" desc
      limit $9`,
    [
      tx.tenantId,
      now,
      memberId ?? null,
      serviceAccountId ?? null,
      role ?? null,
      state ?? null,
      grantedAt ?? null,
      assignmentId ?? null,
      limit,
    ],
  );
}

/** Ours alone until the end of the transaction. */
export function lockAssignment(
  tx: TenantTransaction,
  assignmentId: string,
  now: Date,
): Promise<roleAssignments.RoleAssignment | undefined> {
  return tx.first(`${assignments} and assignment_id = $3 for update`, [tx.tenantId, now, assignmentId]);
}

/** One of the same role for the same holder, whose time meets this one. */
export async function getOverlapping(
  tx: TenantTransaction,
  { holder, role, from, until }: { holder: HolderRef; role: string; from: Date; until: Date | null },
  now: Date,
): Promise<string | undefined> {
  const [column, id] =
    'personId' in holder ? ['person_id', holder.personId] : ['account_id', holder.accountId];
  const row = await tx.first<{ assignmentId: string }>(
    `select assignment_id as "assignmentId"
       from role_assignment
      where tenant_id = $1 and ${column} = $2 and role = $3 and revoked_at is null
        and (valid_until is null or valid_until > $6)
        and tstzrange(valid_from, valid_until) && tstzrange($4, $5)
      limit 1`,
    [tx.tenantId, id, role, from, until, now],
  );
  return row?.assignmentId;
}

export interface NewAssignment {
  readonly assignmentId: string;
  readonly holder: HolderRef;
  readonly role: string;
  readonly from: Date;
  readonly until: Date | null;
  readonly grantedBy: string | null;
}

export async function insertAssignment(
  tx: TenantTransaction,
  given: NewAssignment,
  now: Date,
): Promise<void> {
  const { assignmentId, holder, role, from, until, grantedBy } = given;
  await tx.run(
    `insert into role_assignment
       (tenant_id, assignment_id, person_id, account_id, role, valid_from, valid_until, granted_at, granted_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      tx.tenantId,
      assignmentId,
      'personId' in holder ? holder.personId : null,
      'accountId' in holder ? holder.accountId : null,
      role,
      from,
      until,
      now,
      grantedBy,
    ],
  );
}

export async function updateRevoked(
  tx: TenantTransaction,
  assignmentId: string,
  revokedBy: string | null,
  now: Date,
): Promise<void> {
  await tx.run(
    `update role_assignment set revoked_at = greatest(granted_at, $3), revoked_by = $4
      where tenant_id = $1 and assignment_id = $2`,
    [tx.tenantId, assignmentId, now, revokedBy],
  );
}

export async function updateValidUntil(
  tx: TenantTransaction,
  assignmentId: string,
  until: Date,
): Promise<void> {
  await tx.run('update role_assignment set valid_until = $3 where tenant_id = $1 and assignment_id = $2', [
    tx.tenantId,
    assignmentId,
    until,
  ]);
}

/** Whether they may be given anything; undefined when there is none such. */
export async function isActive(tx: TenantTransaction, holder: HolderRef): Promise<boolean | undefined> {
  const row = await tx.first<{ active: boolean }>(
    'personId' in holder
      ? `select state = 'active' as active from member where tenant_id = $1 and person_id = $2`
      : 'select disabled_at is null as active from service_account where tenant_id = $1 and account_id = $2',
    [tx.tenantId, 'personId' in holder ? holder.personId : holder.accountId],
  );
  return row?.active;
}
