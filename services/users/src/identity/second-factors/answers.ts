import { credentials, secondFactors } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { countWrongAnswer, deleteChallenge } from './challenge-store.ts';
import { mostWrongAnswers } from './lockout.ts';
import type { VerificationResult } from './verify-second-factor.ts';

/** Why an answer to a challenge did not do. */
export type VerificationFailure =
  | Exclude<VerificationResult, { kind: 'right' }>
  | { readonly kind: 'unanswerable' };

/** One wrong answer more; too many end the challenge, and the first step is to be taken again. */
export async function countAgainst(
  tx: Transaction,
  outbox: Outbox,
  hash: Buffer,
  personId: string,
): Promise<void> {
  if ((await countWrongAnswer(tx, hash)) < mostWrongAnswers) return;
  await deleteChallenge(tx, hash);
  await outbox.add(tx, secondFactors.failed, personId, { userId: personId });
}

export function refusalOf(outcome: VerificationFailure): Error {
  if (outcome.kind === 'unanswerable') return new secondFactors.SignInChallengeRefused({});
  if (outcome.kind === 'wrong') return new secondFactors.ProofRefused({});
  return new credentials.TooManyAttempts({}, { retryAfterSeconds: outcome.retryAfterSeconds });
}
