import type { accessTokens } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

export interface StoredKey {
  readonly kid: string;
  readonly publicKey: accessTokens.SigningKey;
  readonly sealedPrivate: Buffer;
  readonly signsFrom: Date;
}

/** Oldest first. */
export function listLivingKeys(tx: Transaction, now: Date): Promise<StoredKey[]> {
  return tx.rows(
    `select kid, public_key as "publicKey", sealed_private as "sealedPrivate", signs_from as "signsFrom"
       from signing_key
      where verifies_until is null or verifies_until > $1
      order by signs_from, kid`,
    [now],
  );
}

/** Until the end of the transaction: one process at a time decides about new keys. */
export async function lockKeys(tx: Transaction): Promise<void> {
  await tx.run('lock table signing_key in share row exclusive mode');
}

export async function insertKey(tx: Transaction, key: StoredKey): Promise<void> {
  await tx.run(
    'insert into signing_key (kid, public_key, sealed_private, signs_from) values ($1, $2, $3, $4)',
    [key.kid, JSON.stringify(key.publicKey), key.sealedPrivate, key.signsFrom],
  );
}

export async function retireKeysBefore(tx: Transaction, successor: StoredKey, until: Date): Promise<void> {
  await tx.run(
    `update signing_key set verifies_until = $3
      where kid <> $1 and signs_from <= $2 and verifies_until is null`,
    [successor.kid, successor.signsFrom, until],
  );
}

export async function deleteAllKeys(tx: Transaction): Promise<void> {
  await tx.run('delete from signing_key');
}

export async function deleteDeadKeys(tx: Transaction, now: Date): Promise<void> {
  await tx.run('delete from signing_key where verifies_until <= $1', [now]);
}
