import { secondFactors } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import type { FactorKeys } from './factor-keys.ts';
import type { Proof } from './methods.ts';
import { noticeTo } from './notice.ts';
import { findPasskeys, keepCounter, lockPasskey, type StoredPasskey } from './passkey-store.ts';
import { looksCopied, type RelyingParty, readAssertion, userHandle } from './passkeys.ts';
import { countRecoveryCodes, useRecoveryCode } from './recovery-code-store.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import { delayAfter } from './standing.ts';
import { findFactors, keepStanding, lockStanding, noteFactorUse } from './store.ts';
import { stepOf } from './totp.ts';
import { findTotpSecrets, useStep } from './totp-store.ts';

/** What a second factor is checked with. */
export interface Proving {
  readonly outbox: Outbox;
  readonly keys: FactorKeys;
  readonly relyingParty: RelyingParty;
}

/** What somebody sends to prove who they are; one of it is there. */
export interface Presented {
  readonly code?: string | undefined;
  readonly recoveryCode?: string | undefined;
  readonly passkey?: secondFactors.PasskeyAssertion | undefined;
}

export type Proven =
  | { readonly kind: 'right'; readonly proof: Proof }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

const wrong: Proven = { kind: 'wrong' };

interface Question {
  readonly personId: string;
  readonly presented: Presented;
  /** What a passkey must have signed. */
  readonly challenge: string;
  readonly now: Date;
}

/**
 * Checks a second factor and uses it up. In the tenant the person signs in to; whatever comes out must be committed,
 * since wrong answers are counted and a code that was right is spent.
 */
export async function prove(proving: Proving, tx: TenantTransaction, question: Question): Promise<Proven> {
  const { presented } = question;
  if (presented.code !== undefined) return proveCode(proving, tx, question, presented.code);
  if (presented.passkey !== undefined) return provePasskey(proving, tx, question, presented.passkey);
  if (presented.recoveryCode === undefined) return wrong;
  return proveRecoveryCode(proving, tx, question, presented.recoveryCode);
}

async function proveCode(
  { keys }: Proving,
  tx: Transaction,
  { personId, now }: Question,
  code: string,
): Promise<Proven> {
  const { failures, blockedUntil } = await lockStanding(tx, personId);
  if (blockedUntil !== null && blockedUntil > now) {
    return {
      kind: 'throttled',
      retryAfterSeconds: Math.ceil((blockedUntil.getTime() - now.getTime()) / 1_000),
    };
  }
  for (const { factorId, ...sealed } of await findTotpSecrets(tx, personId)) {
    const secret = await keys.open(tx, sealed, factorId);
    const step = secret === null ? undefined : stepOf(code, secret, now);
    if (step === undefined || !(await useStep(tx, factorId, step))) continue;
    await noteFactorUse(tx, factorId, now);
    await keepStanding(tx, personId, { failures: 0, blockedUntil: null });
    return { kind: 'right', proof: { method: 'otp', verified: false } };
  }
  const delayMs = delayAfter(failures + 1);
  await keepStanding(tx, personId, {
    failures: failures + 1,
    blockedUntil: delayMs === 0 ? null : new Date(now.getTime() + delayMs),
  });
  return wrong;
}

async function proveRecoveryCode(
  { outbox }: Proving,
  tx: TenantTransaction,
  { personId, now }: Question,
  recoveryCode: string,
): Promise<Proven> {
  if (!(await useRecoveryCode(tx, personId, recoveryCodeHash(recoveryCode), now))) return wrong;
  const left = await countRecoveryCodes(tx, personId);
  const linkId = await noticeTo(tx, personId, now);
  await outbox.add(tx, secondFactors.recoveryCodeUsed, personId, { userId: personId, left, linkId });
  return { kind: 'right', proof: { method: 'recovery', verified: false } };
}

async function provePasskey(
  proving: Proving,
  tx: Transaction,
  { personId, challenge, now }: Question,
  passkey: secondFactors.PasskeyAssertion,
): Promise<Proven> {
  const stored = await lockPasskey(tx, Buffer.from(passkey.id, 'base64url'));
  if (stored === undefined || stored.personId !== personId) return wrong;
  return checkSignature(proving, tx, { stored, passkey, challenge, now });
}

interface Signed {
  readonly stored: StoredPasskey;
  readonly passkey: secondFactors.PasskeyAssertion;
  readonly challenge: string;
  readonly now: Date;
}

/** The same for a passkey that comes alone. */
export async function checkSignature(
  { outbox, relyingParty }: Proving,
  tx: Transaction,
  { stored, passkey, challenge, now }: Signed,
): Promise<Proven> {
  const { factorId, personId, publicKey, counter } = stored;
  const { userHandle: handle } = passkey.response;
  // Devices may leave it out when they were told which passkey to use, and never name somebody else.
  if (handle != null && handle !== userHandle(personId)) return wrong;
  const signature = await readAssertion(relyingParty, passkey, challenge, publicKey);
  if (signature === undefined) return wrong;
  if (looksCopied(counter, signature.counter)) {
    const factor = (await findFactors(tx, personId)).find((each) => each.factorId === factorId);
    const about = { userId: personId, factorId, kind: 'passkey' as const, name: factor?.name ?? '' };
    await outbox.add(tx, secondFactors.passkeyCopySuspected, personId, about);
    return wrong;
  }
  await keepCounter(tx, factorId, signature.counter);
  await noteFactorUse(tx, factorId, now);
  return { kind: 'right', proof: { method: 'swk', verified: signature.verified } };
}

/** What this person can prove a second step with. */
export async function stepsOf(
  tx: Transaction,
  personId: string,
): Promise<{
  readonly steps: secondFactors.SecondStep[];
  readonly passkeys: Awaited<ReturnType<typeof findPasskeys>>;
}> {
  const kinds = new Set((await findFactors(tx, personId)).map(({ kind }) => kind));
  const codesLeft = await countRecoveryCodes(tx, personId);
  const possible: readonly (readonly [secondFactors.SecondStep, boolean])[] = [
    ['totp', kinds.has('totp')],
    ['recovery-code', codesLeft > 0],
    ['passkey', kinds.has('passkey')],
  ];
  return {
    steps: possible.filter(([, there]) => there).map(([step]) => step),
    passkeys: kinds.has('passkey') ? await findPasskeys(tx, personId) : [],
  };
}
