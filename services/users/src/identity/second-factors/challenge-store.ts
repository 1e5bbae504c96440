import type { accessTokens } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

/** A question that waits for its answer. */
export type Challenge =
  | { readonly purpose: 'passkey-login' }
  | { readonly purpose: 'add-passkey' | 'step-up'; readonly personId: string; readonly sessionId: string }
  | ({ readonly purpose: 'register' } & Omit<FirstStep, 'tenantId'>)
  | ({ readonly purpose: 'login' } & FirstStep);

/** What somebody proved who is asked for a second factor. */
export interface FirstStep {
  readonly personId: string;
  readonly tenantId: string;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  /** Hash of the stored password that was matched; null where none was. */
  readonly firstProof: Buffer | null;
}

export async function insertChallenge(
  tx: Transaction,
  hash: Buffer,
  challenge: Challenge,
  expiresAt: Date,
): Promise<void> {
  const row = {
    personId: null,
    tenantId: null,
    sessionId: null,
    methods: [],
    firstProof: null,
    ...challenge,
  };
  const { purpose, personId, tenantId, sessionId, methods, firstProof } = row;
  await tx.run(
    `insert into challenge (challenge_hash, purpose, person_id, tenant_id, session_id, methods, first_proof, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [hash, purpose, personId, tenantId, sessionId, methods, firstProof, expiresAt],
    'insert_challenge',
  );
}

/** Ours alone until the end of the transaction, so that of two answers at once one comes too late. */
export function lockLoginChallenge(tx: Transaction, hash: Buffer, now: Date): Promise<FirstStep | undefined> {
  return tx.first(
    `select person_id as "personId", tenant_id as "tenantId", methods, first_proof as "firstProof"
       from challenge
      where challenge_hash = $1 and purpose = 'login' and expires_at > $2
        for update`,
    [hash, now],
    'lock_login_challenge',
  );
}

/** The same of somebody who registers an organisation with the account they have, and so belongs to none yet. */
export function lockRegistrationChallenge(
  tx: Transaction,
  hash: Buffer,
  personId: string,
  now: Date,
): Promise<Pick<FirstStep, 'methods' | 'firstProof'> | undefined> {
  return tx.first(
    `select methods, first_proof as "firstProof" from challenge
      where challenge_hash = $1 and purpose = 'register' and person_id = $2 and expires_at > $3
        for update`,
    [hash, personId, now],
    'lock_registration_challenge',
  );
}

/** Wrong answers to it so far. */
export async function countWrongAnswer(tx: Transaction, hash: Buffer): Promise<number> {
  const row = await tx.first<{ failures: number }>(
    'update challenge set failures = failures + 1 where challenge_hash = $1 returning failures',
    [hash],
  );
  return row?.failures ?? 0;
}

/** Takes it away: whatever the answer turns out to be, there is no second one. False when it is not there. */
export async function takeChallenge(
  tx: Transaction,
  hash: Buffer,
  asked: { readonly purpose: Challenge['purpose']; readonly sessionId?: string },
  now: Date,
): Promise<boolean> {
  const taken = await tx.run(
    `delete from challenge
      where challenge_hash = $1 and purpose = $2 and session_id is not distinct from $3 and expires_at > $4`,
    [hash, asked.purpose, asked.sessionId ?? null, now],
    'take_challenge',
  );
  return taken === 1;
}

/** It was answered, or wrongly too often. */
export async function deleteChallenge(tx: Transaction, hash: Buffer): Promise<void> {
  await tx.run('delete from challenge where challenge_hash = $1', [hash], 'delete_challenge');
}

export async function deleteChallengesOf(tx: Transaction, personId: string): Promise<void> {
  await tx.run('delete from challenge where person_id = $1', [personId]);
}

export async function deleteOldChallenges(tx: Transaction, now: Date): Promise<void> {
  await tx.run('delete from challenge where expires_at <= $1', [now]);
}
