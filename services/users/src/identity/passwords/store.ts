import type { Transaction } from '@marimo/postgres';

/** The installation's key, made by who asks first and the same ever after. */
export async function getPasswordKey(tx: Transaction, fresh: Buffer): Promise<Buffer> {
  await tx.run('insert into password_key (key) values ($1) on conflict (only_row) do nothing', [fresh]);
  const row = await tx.first<{ key: Buffer }>('select key from password_key');
  if (row === undefined) throw new Error('There is no password key');
  return row.key;
}
