import type { TenantTransaction } from '@marimo/postgres';

export interface Identity {
  readonly providerId: string;
  readonly subject: string;
}

export async function getPersonOf(
  tx: TenantTransaction,
  { providerId, subject }: Identity,
): Promise<string | undefined> {
  const row = await tx.first<{ personId: string }>(
    `select person_id as "personId" from federated_identity
      where tenant_id = $1 and provider_id = $2 and subject = $3`,
    [tx.tenantId, providerId, subject],
    'person_of_identity',
  );
  return row?.personId;
}

export async function insertIdentity(
  tx: TenantTransaction,
  { providerId, subject }: Identity,
  personId: string,
  now: Date,
): Promise<void> {
  await tx.run(
    `insert into federated_identity (tenant_id, provider_id, subject, person_id, linked_at, last_used_at)
     values ($1, $2, $3, $4, $5, $5)`,
    [tx.tenantId, providerId, subject, personId, now],
  );
}

export async function updateIdentityUse(
  tx: TenantTransaction,
  { providerId, subject }: Identity,
  now: Date,
): Promise<void> {
  await tx.run(
    `update federated_identity set last_used_at = $4
      where tenant_id = $1 and provider_id = $2 and subject = $3`,
    [tx.tenantId, providerId, subject, now],
    'note_identity_use',
  );
}

/** Of another issuer the same subjects are other people. */
export async function deleteIdentitiesOf(tx: TenantTransaction, providerId: string): Promise<void> {
  await tx.run('delete from federated_identity where tenant_id = $1 and provider_id = $2', [
    tx.tenantId,
    providerId,
  ]);
}

/** A role somebody has now. */
export interface HeldAssignment {
  readonly assignmentId: string;
  readonly role: string;
  /** Null where people gave it. */
  readonly providerId: string | null;
  readonly validFrom: Date;
  readonly endless: boolean;
}

export function listRolesInForce(
  tx: TenantTransaction,
  personId: string,
  now: Date,
): Promise<HeldAssignment[]> {
  return tx.rows(
    `select assignment_id as "assignmentId", role, provider_id as "providerId", valid_from as "validFrom",
            valid_until is null as endless
       from role_assignment
      where tenant_id = $1 and person_id = $2 and revoked_at is null
        and valid_from <= $3 and (valid_until is null or valid_until > $3)
      order by role, assignment_id`,
    [tx.tenantId, personId, now],
    'roles_in_force',
  );
}

/** Those of the names that are own roles of the organisation; they stay so until the transaction ends. */
export async function listOwnRolesAmong(tx: TenantTransaction, names: readonly string[]): Promise<string[]> {
  const rows = await tx.rows<{ name: string }>(
    `select name from own_role where tenant_id = $1 and name = any($2) and deleted_at is null order by name for share`,
    [tx.tenantId, names],
  );
  return rows.map(({ name }) => name);
}

export async function insertAssignment(
  tx: TenantTransaction,
  given: { readonly assignmentId: string; readonly personId: string; readonly role: string },
  providerId: string,
  now: Date,
): Promise<void> {
  const { assignmentId, personId, role } = given;
  await tx.run(
    `insert into role_assignment
       (tenant_id, assignment_id, person_id, role, valid_from, granted_at, provider_id)
     values ($1, $2, $3, $4, $5, $5, $6)`,
    [tx.tenantId, assignmentId, personId, role, now, providerId],
  );
}

export async function updateRevoked(tx: TenantTransaction, assignmentId: string, now: Date): Promise<void> {
  await tx.run(
    `update role_assignment set revoked_at = greatest(granted_at, $3)
      where tenant_id = $1 and assignment_id = $2`,
    [tx.tenantId, assignmentId, now],
  );
}
