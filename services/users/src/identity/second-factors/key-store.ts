import type { Transaction } from '@marimo/postgres';

export interface StoredFactorKey {
  readonly keyId: string;
  readonly sealedKey: Buffer;
}

/** Newest first. */
export function listFactorKeys(tx: Transaction): Promise<StoredFactorKey[]> {
  return tx.rows(
    'select key_id as "keyId", sealed_key as "sealedKey" from factor_key order by made_at desc, key_id desc',
    [],
    'factor_keys',
  );
}

/** Until the end of the transaction: one at a time makes a key. */
export async function lockFactorKeys(tx: Transaction): Promise<void> {
  await tx.run('lock table factor_key in share row exclusive mode');
}

export async function insertFactorKey(
  tx: Transaction,
  { keyId, sealedKey }: StoredFactorKey,
  now: Date,
): Promise<void> {
  await tx.run('insert into factor_key (key_id, sealed_key, made_at) values ($1, $2, $3)', [
    keyId,
    sealedKey,
    now,
  ]);
}

export async function updateFactorKey(tx: Transaction, { keyId, sealedKey }: StoredFactorKey): Promise<void> {
  await tx.run('update factor_key set sealed_key = $2 where key_id = $1', [keyId, sealedKey]);
}
