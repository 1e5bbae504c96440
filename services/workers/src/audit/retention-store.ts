import type { TenantTransaction } from '@marimo/postgres';

/** Null where everything is kept. */
export async function getKeptMonths(tx: TenantTransaction): Promise<number | null> {
  const row = await tx.first<{ keptMonths: number }>(
    'select kept_months as "keptMonths" from audit_retention where tenant_id = $1',
    [tx.tenantId],
  );
  return row?.keptMonths ?? null;
}

export async function setKeptMonths(tx: TenantTransaction, keptMonths: number | null): Promise<void> {
  if (keptMonths === null) {
    await tx.run('delete from audit_retention where tenant_id = $1', [tx.tenantId]);
    return;
  }
  await tx.run(
    `insert into audit_retention (tenant_id, kept_months) values ($1, $2)
     on conflict (tenant_id) do update set kept_months = excluded.kept_months`,
    [tx.tenantId, keptMonths],
  );
}

export interface Forgotten {
  readonly records: bigint;
  readonly upTo: bigint;
  readonly hash: string;
}

/** Deletes so many of the records that are no longer kept; undefined when there are none. */
export function forgetRecords(tx: TenantTransaction, most: number): Promise<Forgotten | undefined> {
  return tx.first<Forgotten>(
    `select forgotten as records, up_to as "upTo", encode(last_hash, 'hex') as hash from forget_audit($1)`,
    [most],
  );
}
