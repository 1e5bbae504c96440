import { createHash } from 'node:crypto';
import { secondFactors } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import type { SecondStep } from '../sessions/index.ts';
import { type Challenge, insertChallenge } from './challenge-store.ts';
import { newChallenge } from './challenge-text.ts';
import { type RelyingParty, requestOptions } from './passkeys.ts';
import { getSecondSteps } from './verify-second-factor.ts';

/** Asks for the second factor of somebody whose password was right. */
export function createSecondStep(relyingParty: RelyingParty): SecondStep {
  return {
    ask(tx, { personId, methods, passwordHash, now }) {
      const firstProof = proofOf(passwordHash);
      const question = { purpose: 'login', personId, tenantId: tx.tenantId, methods, firstProof } as const;
      return asked(tx, relyingParty, question, now);
    },
  };
}

/** The question with all the ways in which this person can answer it. */
export async function asked(
  tx: Transaction,
  relyingParty: RelyingParty,
  question: Challenge & { readonly personId: string },
  now: Date,
): Promise<secondFactors.SecondFactorAsked> {
  const { steps, passkeys } = await getSecondSteps(tx, question.personId);
  const challenge = await askFor(tx, question, now);
  return {
    challenge,
    expiresIn: secondFactors.challengeLastsSeconds,
    factors: steps,
    ...(passkeys.length > 0 && {
      passkeyOptions: requestOptions(relyingParty, challenge, 'preferred', passkeys),
    }),
  };
}

/** Keeps the question and gives the text that answers must carry. */
export async function askFor(tx: Transaction, question: Challenge, now: Date): Promise<string> {
  const { text, hash } = newChallenge();
  await insertChallenge(
    tx,
    hash,
    question,
    new Date(now.getTime() + secondFactors.challengeLastsSeconds * 1_000),
  );
  return text;
}

/** Recognises the stored password again without keeping it in one more place. */
export function proofOf(passwordHash: string | null): Buffer | null {
  return passwordHash === null ? null : createHash('sha256').update(passwordHash).digest();
}
