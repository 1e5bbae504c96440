import type { Transaction } from '@marimo/postgres';

export async function countRecoveryCodes(tx: Transaction, personId: string): Promise<number> {
  const row = await tx.first<{ left: number }>(
    'select count(*)::int as left from recovery_code where person_id = $1 and used_at is null',
    [personId],
    'count_recovery_codes',
  );
  return row?.left ?? 0;
}

/** False when there is no such code, or it was used before. */
export async function useRecoveryCode(
  tx: Transaction,
  personId: string,
  hash: Buffer,
  now: Date,
): Promise<boolean> {
  const used = await tx.run(
    'update recovery_code set used_at = $3 where person_id = $1 and code_hash = $2 and used_at is null',
    [personId, hash, now],
    'use_recovery_code',
  );
  return used === 1;
}

/** Instead of those there were. */
export async function replaceRecoveryCodes(
  tx: Transaction,
  personId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  await tx.run('delete from recovery_code where person_id = $1', [personId]);
  await tx.run('insert into recovery_code (person_id, code_hash) select $1, unnest($2::bytea[])', [
    personId,
    hashes,
  ]);
}
