import type { TenantTransaction } from '@marimo/postgres';

/** Whether an event that comes late must not bring back what was erased. */
export async function isErased(tx: TenantTransaction, personId: string): Promise<boolean> {
  const found = await tx.first('select from erased_person where tenant_id = $1 and person_id = $2', [
    tx.tenantId,
    personId,
  ]);
  return found !== undefined;
}

export async function insertErased(tx: TenantTransaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `insert into erased_person (tenant_id, person_id, erased_at) values ($1, $2, $3)
     on conflict (tenant_id, person_id) do nothing`,
    [tx.tenantId, personId, now],
  );
}
