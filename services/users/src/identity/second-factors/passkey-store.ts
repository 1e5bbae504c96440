import type { Transaction } from '@marimo/postgres';
import type { KnownPasskey, NewPasskey } from './passkeys.ts';

export interface StoredPasskey extends NewPasskey {
  readonly factorId: string;
  readonly personId: string;
}

/** False when the credential is known already, whoever's it is. */
export async function insertPasskey(
  tx: Transaction,
  factorId: string,
  { credentialId, publicKey, counter, transports }: NewPasskey,
): Promise<boolean> {
  const inserted = await tx.run(
    `insert into passkey (factor_id, credential_id, public_key, counter, transports) values ($1, $2, $3, $4, $5)
     on conflict (credential_id) do nothing`,
    [factorId, credentialId, publicKey, counter, transports],
  );
  return inserted === 1;
}

export function listPasskeys(tx: Transaction, personId: string): Promise<KnownPasskey[]> {
  return tx.rows(
    `select k.credential_id as "credentialId", k.transports
       from passkey k
       join second_factor f on f.factor_id = k.factor_id
      where f.person_id = $1 and f.added_at is not null
      order by f.added_at, f.factor_id`,
    [personId],
    'passkeys_of_person',
  );
}

/** Ours alone until the end of the transaction, so that its counter is judged once for each signature. */
export function lockPasskey(tx: Transaction, credentialId: Buffer): Promise<StoredPasskey | undefined> {
  return tx.first(
    `select k.factor_id as "factorId", f.person_id as "personId", k.credential_id as "credentialId",
            k.public_key as "publicKey", k.counter::float8 as counter, k.transports
       from passkey k
       join second_factor f on f.factor_id = k.factor_id
      where k.credential_id = $1 and f.added_at is not null
        for update of k`,
    [credentialId],
    'lock_passkey',
  );
}

export async function updateCounter(tx: Transaction, factorId: string, counter: number): Promise<void> {
  await tx.run('update passkey set counter = $2 where factor_id = $1', [factorId, counter]);
}
