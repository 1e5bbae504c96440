import type { Transaction } from '@marimo/postgres';
import type { SealedSecret } from './factor-keys.ts';

export interface TotpSecret extends SealedSecret {
  readonly factorId: string;
}

export async function insertTotpSecret(
  tx: Transaction,
  factorId: string,
  { keyId, sealedSecret }: SealedSecret,
): Promise<void> {
  await tx.run('insert into totp_secret (factor_id, key_id, sealed_secret) values ($1, $2, $3)', [
    factorId,
    keyId,
    sealedSecret,
  ]);
}

/** Of the apps that count, or of the one that waits for its first code. */
export function listTotpSecrets(
  tx: Transaction,
  personId: string,
  begun?: { readonly factorId: string; readonly since: Date },
): Promise<TotpSecret[]> {
  return tx.rows(
    `select t.factor_id as "factorId", t.key_id as "keyId", t.sealed_secret as "sealedSecret"
       from totp_secret t
       join second_factor f on f.factor_id = t.factor_id
      where f.person_id = $1
        and case when $2::uuid is null then f.added_at is not null
                 else f.factor_id = $2 and f.added_at is null and f.begun_at > $3 end
      order by f.begun_at, f.factor_id`,
    [personId, begun?.factorId ?? null, begun?.since ?? null],
    'totp_secrets',
  );
}

/** False when this step, or a later one, was used before: of two who send one code at once, one gets this. */
export async function useStep(tx: Transaction, factorId: string, step: number): Promise<boolean> {
  const used = await tx.run(
    'update totp_secret set last_step = $2 where factor_id = $1 and (last_step is null or last_step < $2)',
    [factorId, step],
    'use_totp_step',
  );
  return used === 1;
}
