import { secondFactors } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { securityNoticeTo } from '../self-service/index.ts';
import type { FactorKeys } from './factor-keys.ts';
import { lockoutMsAfter } from './lockout.ts';
import type { Proof } from './methods.ts';
import { listPasskeys, lockPasskey, type StoredPasskey, updateCounter } from './passkey-store.ts';
import { looksCopied, type RelyingParty, readAssertion, userHandle } from './passkeys.ts';
import { countRecoveryCodes, useRecoveryCode } from './recovery-code-store.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import { listFactors, lockFactors, updateFactorUse, updateLockout } from './store.ts';
import { stepOf } from './totp.ts';
import { listTotpSecrets, useStep } from './totp-store.ts';

/** What a second factor is checked with. */
export interface VerificationParts {
  readonly outbox: Outbox;
  readonly keys: FactorKeys;
  readonly relyingParty: RelyingParty;
}

/** What somebody sends to prove who they are; one of it is there. */
export interface PresentedFactor {
  readonly code?: string | undefined;
  readonly recoveryCode?: string | undefined;
  readonly passkey?: secondFactors.PasskeyAssertion | undefined;
}

export type VerificationResult =
  | { readonly kind: 'right'; readonly proof: Proof }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

const wrong: VerificationResult = { kind: 'wrong' };

interface VerificationRequest {
  readonly personId: string;
  readonly presented: PresentedFactor;
  /** What a passkey must have signed. */
  readonly challenge: string;
  readonly now: Date;
}

/**
 * Checks a second factor and uses it up. In the tenant the person signs in to; whatever comes out must be committed,
 * since wrong answers are counted and a code that was right is spent.
 */
export async function verifySecondFactor(
  verification: VerificationParts,
  tx: TenantTransaction,
  request: VerificationRequest,
): Promise<VerificationResult> {
  const { presented } = request;
  if (presented.code !== undefined) return verifyTotpCode(verification, tx, request, presented.code);
  if (presented.passkey !== undefined) return verifyPasskey(verification, tx, request, presented.passkey);
  if (presented.recoveryCode === undefined) return wrong;
  return verifyRecoveryCode(verification, tx, request, presented.recoveryCode);
}

async function verifyTotpCode(
  { keys }: VerificationParts,
  tx: Transaction,
  { personId, now }: VerificationRequest,
  code: string,
): Promise<VerificationResult> {
  const { failures, blockedUntil } = await lockFactors(tx, personId);
  if (blockedUntil !== null && blockedUntil > now) {
    return {
      kind: 'throttled',
      retryAfterSeconds: Math.ceil((blockedUntil.getTime() - now.getTime()) / 1_000),
    };
  }
  for (const { factorId, ...sealed } of await listTotpSecrets(tx, personId)) {
    const secret = await keys.open(tx, sealed, factorId);
    const step = secret === null ? undefined : stepOf(code, secret, now);
    if (step === undefined || !(await useStep(tx, factorId, step))) continue;
    await updateFactorUse(tx, factorId, now);
    await updateLockout(tx, personId, { failures: 0, blockedUntil: null });
    return { kind: 'right', proof: { method: 'otp', verified: false } };
  }
  const delayMs = lockoutMsAfter(failures + 1);
  await updateLockout(tx, personId, {
    failures: failures + 1,
    blockedUntil: delayMs === 0 ? null : new Date(now.getTime() + delayMs),
  });
  return wrong;
}

async function verifyRecoveryCode(
  { outbox }: VerificationParts,
  tx: TenantTransaction,
  { personId, now }: VerificationRequest,
  recoveryCode: string,
): Promise<VerificationResult> {
  if (!(await useRecoveryCode(tx, personId, recoveryCodeHash(recoveryCode), now))) return wrong;
  const left = await countRecoveryCodes(tx, personId);
  const linkId = await securityNoticeTo(tx, personId, now);
  await outbox.add(tx, secondFactors.recoveryCodeUsed, personId, { userId: personId, left, linkId });
  return { kind: 'right', proof: { method: 'recovery', verified: false } };
}

async function verifyPasskey(
  verification: VerificationParts,
  tx: Transaction,
  { personId, challenge, now }: VerificationRequest,
  passkey: secondFactors.PasskeyAssertion,
): Promise<VerificationResult> {
  const stored = await lockPasskey(tx, Buffer.from(passkey.id, 'base64url'));
  if (stored === undefined || stored.personId !== personId) return wrong;
  return verifyPasskeySignature(verification, tx, { stored, passkey, challenge, now });
}

interface Signed {
  readonly stored: StoredPasskey;
  readonly passkey: secondFactors.PasskeyAssertion;
  readonly challenge: string;
  readonly now: Date;
}

/** The same for a passkey that comes alone. */
export async function verifyPasskeySignature(
  { outbox, relyingParty }: VerificationParts,
  tx: Transaction,
  { stored, passkey, challenge, now }: Signed,
): Promise<VerificationResult> {
  const { factorId, personId, publicKey, counter } = stored;
  const { userHandle: handle } = passkey.response;
  // Devices may leave it out when they were told which passkey to use, and never name somebody else.
  if (handle != null && handle !== userHandle(personId)) return wrong;
  const signature = await readAssertion(relyingParty, passkey, challenge, publicKey);
  if (signature === undefined) return wrong;
  if (looksCopied(counter, signature.counter)) {
    const factor = (await listFactors(tx, personId)).find((each) => each.factorId === factorId);
    const fact = { userId: personId, factorId, kind: 'passkey' as const, name: factor?.name ?? '' };
    await outbox.add(tx, secondFactors.passkeyCopySuspected, personId, fact);
    return wrong;
  }
  await updateCounter(tx, factorId, signature.counter);
  await updateFactorUse(tx, factorId, now);
  return { kind: 'right', proof: { method: 'swk', verified: signature.verified } };
}

/** What this person can prove a second step with. */
export async function getSecondSteps(
  tx: Transaction,
  personId: string,
): Promise<{
  readonly steps: secondFactors.SecondStep[];
  readonly passkeys: Awaited<ReturnType<typeof listPasskeys>>;
}> {
  const kinds = new Set((await listFactors(tx, personId)).map(({ kind }) => kind));
  const codesLeft = await countRecoveryCodes(tx, personId);
  const possible: readonly (readonly [secondFactors.SecondStep, boolean])[] = [
    ['totp', kinds.has('totp')],
    ['recovery-code', codesLeft > 0],
    ['passkey', kinds.has('passkey')],
  ];
  return {
    steps: possible.filter(([, there]) => there).map(([step]) => step),
    passkeys: kinds.has('passkey') ? await listPasskeys(tx, personId) : [],
  };
}
