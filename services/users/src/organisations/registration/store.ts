import type { Transaction } from '@marimo/postgres';

export interface KeptRegistration {
  readonly requestDigest: Buffer;
  readonly personId: string;
  readonly tenantId: string;
}

interface NewRegistration extends KeptRegistration {
  readonly keyHash: Buffer;
  readonly registeredAt: Date;
}

export function getRegistration(
  tx: Transaction,
  keyHash: Buffer,
  since: Date,
): Promise<KeptRegistration | undefined> {
  return tx.first(
    `select request_digest as "requestDigest", person_id as "personId", tenant_id as "tenantId"
       from registration
      where key_hash = $1 and registered_at > $2`,
    [keyHash, since],
  );
}

/** False when the key was used for another registration since. */
export async function insertRegistration(
  tx: Transaction,
  { keyHash, requestDigest, personId, tenantId, registeredAt }: NewRegistration,
  since: Date,
): Promise<boolean> {
  const kept = await tx.run(
    `insert into registration (key_hash, request_digest, person_id, tenant_id, registered_at)
     values ($1, $2, $3, $4, $5)
     on conflict (key_hash) do update
        set request_digest = excluded.request_digest, person_id = excluded.person_id,
            tenant_id = excluded.tenant_id, registered_at = excluded.registered_at
      where registration.registered_at <= $6`,
    [keyHash, requestDigest, personId, tenantId, registeredAt, since],
  );
  return kept === 1;
}

export async function deleteRegistrationsBefore(tx: Transaction, moment: Date): Promise<void> {
  await tx.run('delete from registration where registered_at <= $1', [moment]);
}
