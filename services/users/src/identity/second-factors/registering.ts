import type { accessTokens, secondFactors } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { FirstStepDone } from '../sessions/index.ts';
import { countAgainst, refusalOf } from './answers.ts';
import { deleteChallenge, lockRegistrationChallenge } from './challenge-store.ts';
import { challengeHash } from './challenge-text.ts';
import { methodsAfter } from './methods.ts';
import type { SecondFactorParts } from './parts.ts';
import { asked, proofOf } from './second-step.ts';
import { listFactors } from './store.ts';
import { verifySecondFactor } from './verify-second-factor.ts';

type Registering = FirstStepDone & { readonly answer: secondFactors.FinishLogin | undefined };

/** `refused` is thrown once the transaction is committed: wrong answers are counted in it. */
export type RegisteringStep =
  | { readonly kind: 'proven'; readonly methods: readonly accessTokens.AuthenticationMethod[] }
  | { readonly kind: 'asked'; readonly asked: secondFactors.SecondFactorAsked }
  | { readonly kind: 'refused'; readonly refusal: Error };

/**
 * The second step of somebody who has proved their password and registers an organisation with it: nothing for who has no
 * second factor; else the question, or what comes of the answer to it. In a tenant the person was in: mails about their
 * factors are written in its name.
 */
export async function registeringStep(
  tx: TenantTransaction,
  { verification }: Pick<SecondFactorParts, 'verification'>,
  { personId, methods, passwordHash, answer, now }: Registering,
): Promise<RegisteringStep> {
  if ((await listFactors(tx, personId)).length === 0) return { kind: 'proven', methods };
  const firstProof = proofOf(passwordHash);
  if (answer === undefined) {
    const question = { purpose: 'register', personId, methods, firstProof } as const;
    return { kind: 'asked', asked: await asked(tx, verification.relyingParty, question, now) };
  }
  const { challenge, ...presented } = answer;
  const hash = challengeHash(challenge);
  const first = await lockRegistrationChallenge(tx, hash, personId, now);
  if (first === undefined || !sameProof(first.firstProof, firstProof)) {
    return { kind: 'refused', refusal: refusalOf({ kind: 'unanswerable' }) };
  }
  const result = await verifySecondFactor(verification, tx, { personId, presented, challenge, now });
  if (result.kind === 'wrong') await countAgainst(tx, verification.outbox, hash, personId);
  if (result.kind !== 'right') return { kind: 'refused', refusal: refusalOf(result) };
  await deleteChallenge(tx, hash);
  return { kind: 'proven', methods: methodsAfter(first.methods, result.proof) };
}

function sameProof(one: Buffer | null, other: Buffer | null): boolean {
  return one !== null && other !== null && one.equals(other);
}
