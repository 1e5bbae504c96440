import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent, TooManyRequests, Unauthenticated } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { OwnProofNeeded, TooManyAttempts } from './credentials.ts';
import { Password, SignedIn } from './identity.ts';
import { changeMembers } from './permissions.ts';
import { SecondFactorKind } from './second-factor-events.ts';
import {
  LastFactorDemanded,
  MemberElsewhere,
  PasskeyKnown,
  PasskeyNotAdded,
  ProofRefused,
  SecondFactorMissing,
  SecondFactorNeeded,
  SignInChallengeRefused,
  TooManySecondFactors,
} from './second-factor-refusals.ts';
import {
  PasskeyAssertion,
  PasskeyCreated,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
} from './webauthn.ts';

export * from './second-factor-events.ts';
export * from './second-factor-refusals.ts';
export * from './webauthn.ts';

export const SecondFactor = z.strictObject({
  id: Id,
  kind: SecondFactorKind,
  name: personal(z.string()),
  addedAt: Instant,
  lastUsedAt: Instant.nullable(),
});
export type SecondFactor = z.infer<typeof SecondFactor>;

/** Six digits of an authenticator app; people write them with a space in the middle. */
const Code = z
  .string()
  .max(20)
  .transform((text) => text.replaceAll(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'must be six digits'));

/** Sixteen letters and digits; case, spaces and dashes do not count. */
const RecoveryCode = z
  .string()
  .max(40)
  .transform((text) => text.replaceAll(/[\s-]/g, '').toLowerCase())
  .pipe(z.string().regex(/^[a-z2-7]{16}$/, 'must be sixteen letters and digits'));

const RecoveryCodes = z.array(z.string());

const secondFactor = {
  code: Code.optional(),
  recoveryCode: RecoveryCode.optional(),
  passkey: PasskeyAssertion.optional(),
};
const exactlyOne = (given: Readonly<Record<string, unknown>>) =>
  Object.entries(given).filter(([name, value]) => name !== 'challenge' && value !== undefined).length === 1;

/** Seconds a challenge can be answered. */
export const challengeLastsSeconds = 5 * 60;

/** What a second step can be made with. Recovery codes stand in for a factor that is lost. */
export const SecondStep = z.enum(['totp', 'recovery-code', 'passkey']);
export type SecondStep = z.infer<typeof SecondStep>;

/** The password was right; whoever sends the challenge back with a second factor is signed in. */
export const SecondFactorAsked = z.strictObject({
  /** Good for one sign-in. */
  challenge: z.string(),
  /** Seconds the challenge lasts. */
  expiresIn: z.int(),
  factors: z.array(SecondStep),
  /** Only with `passkey` among the factors. */
  passkeyOptions: PasskeyRequestOptions.optional(),
});
export type SecondFactorAsked = z.infer<typeof SecondFactorAsked>;

const Challenge = z.string().regex(/^[\w-]{43}$/, 'must be the challenge that login returned');

export const FinishLogin = z
  .strictObject({ challenge: Challenge, ...secondFactor })
  .refine(exactlyOne, 'must have exactly one of code, recoveryCode and passkey');
export type FinishLogin = z.output<typeof FinishLogin>;

export const StepUp = z
  .strictObject({ password: Password.optional(), ...secondFactor })
  .refine(exactlyOne, 'must have exactly one of password, code, recoveryCode and passkey');
export type StepUp = z.output<typeof StepUp>;

export const finishLogin = endpoint({
  method: 'POST',
  path: '/api/v1/users/login/second-factor',
  summary: 'Completes a sign-in with a second factor and starts a session.',
  access: 'public',
  body: FinishLogin,
  replies: { 200: SignedIn },
  refusals: [SignInChallengeRefused, ProofRefused, TooManyAttempts],
  repeat: 'natural',
});

export const challengePasskey = endpoint({
  method: 'POST',
  path: '/api/v1/users/passkey-challenges',
  summary: 'Starts a sign-in with a passkey alone. Returns the options for the browser.',
  access: 'public',
  replies: { 200: PasskeyRequestOptions },
  refusals: [TooManyRequests],
  repeat: 'natural',
});

export const loginWithPasskey = endpoint({
  method: 'POST',
  path: '/api/v1/users/login/passkey',
  summary: 'Signs in with a passkey whose device has verified the person, and starts a session.',
  access: 'public',
  body: z.strictObject({ passkey: PasskeyAssertion }),
  replies: { 200: SignedIn },
  refusals: [ProofRefused],
  repeat: 'natural',
});

/** Where endpoints demand a recent proof of identity; who has a second factor proves that, not the password alone. */
export const stepUp = endpoint({
  method: 'POST',
  path: '/api/v1/users/step-up',
  summary:
    'Re-authenticates the caller and returns an access token with the new authentication time (RFC 9470).',
  access: 'signed-in',
  body: StepUp,
  replies: {
    200: z.strictObject({
      accessToken: z.string(),
      /** Seconds the access token lasts. */
      expiresIn: z.int(),
      tokenType: z.literal('Bearer'),
    }),
  },
  refusals: [ProofRefused, SecondFactorNeeded, TooManyAttempts, Unauthenticated],
  repeat: 'natural',
});

export const challengeStepUp = endpoint({
  method: 'POST',
  path: '/api/v1/users/step-up/passkey-options',
  summary: 'Returns the browser options for a step-up with a passkey.',
  access: 'signed-in',
  replies: { 200: PasskeyRequestOptions },
  refusals: [SecondFactorMissing],
  repeat: 'natural',
});

export const list = endpoint({
  method: 'GET',
  path: '/api/v1/users/second-factors',
  summary: "Lists the caller's second factors and the number of unused recovery codes.",
  access: 'signed-in',
  replies: { 200: z.strictObject({ items: z.array(SecondFactor), recoveryCodesLeft: z.int() }) },
});

const OfFactor = z.strictObject({ factorId: Id });

/** Nothing is asked for until the first code is confirmed; a new begin replaces one that was not. */
export const enrolTotp = endpoint({
  method: 'POST',
  path: '/api/v1/users/second-factors/totp',
  summary: 'Starts adding an authenticator app. The secret is returned only once.',
  access: 'signed-in',
  stepUp: true,
  body: z.strictObject({ name: personal(Name) }),
  replies: {
    201: z.strictObject({
      factorId: Id,
      /** Base32, to be typed in. */
      secret: z.string(),
      /** `otpauth://…`, to be shown as a QR code. */
      uri: z.string(),
    }),
  },
  refusals: [OwnProofNeeded, TooManySecondFactors],
  repeat: 'natural',
});

/** With the factor, in one commit: every other session of the person ends, in every organisation. */
const endOtherSessions = z.boolean().default(false);

const Added = z.strictObject({
  factor: SecondFactor,
  /** With the first factor only, and shown only now. */
  recoveryCodes: RecoveryCodes.nullable(),
});

export const confirmTotp = endpoint({
  method: 'POST',
  path: '/api/v1/users/second-factors/totp/{factorId}/confirm',
  summary: 'Confirms an authenticator app with its first code.',
  access: 'signed-in',
  params: OfFactor,
  body: z.strictObject({ code: Code, endOtherSessions }),
  replies: { 200: Added },
  refusals: [Absent, OwnProofNeeded, ProofRefused, TooManySecondFactors],
  repeat: 'natural',
});

export const offerPasskey = endpoint({
  method: 'POST',
  path: '/api/v1/users/second-factors/passkeys/options',
  summary: 'Starts adding a passkey. Returns the options for the browser.',
  access: 'signed-in',
  stepUp: true,
  replies: { 200: PasskeyCreationOptions },
  refusals: [OwnProofNeeded, TooManySecondFactors],
  repeat: 'natural',
});

export const addPasskey = endpoint({
  method: 'POST',
  path: '/api/v1/users/second-factors/passkeys',
  summary: 'Adds the passkey that the browser created.',
  access: 'signed-in',
  body: z.strictObject({ name: personal(Name), passkey: PasskeyCreated, endOtherSessions }),
  replies: { 201: Added },
  refusals: [OwnProofNeeded, PasskeyNotAdded, PasskeyKnown, TooManySecondFactors],
  repeat: 'natural',
});

export const rename = endpoint({
  method: 'PATCH',
  path: '/api/v1/users/second-factors/{factorId}',
  summary: 'Renames a second factor.',
  access: 'signed-in',
  params: OfFactor,
  body: z.strictObject({ name: personal(Name) }),
  replies: { 200: SecondFactor },
  refusals: [Absent, OwnProofNeeded],
});

export const remove = endpoint({
  method: 'DELETE',
  path: '/api/v1/users/second-factors/{factorId}',
  summary: 'Removes a second factor. Removing the last one deletes the recovery codes.',
  access: 'signed-in',
  stepUp: true,
  params: OfFactor,
  replies: { 204: z.null() },
  refusals: [Absent, OwnProofNeeded, LastFactorDemanded],
});

export const renewRecoveryCodes = endpoint({
  method: 'POST',
  path: '/api/v1/users/second-factors/recovery-codes',
  summary: 'Creates ten new recovery codes, returned only once. The previous codes stop working.',
  access: 'signed-in',
  stepUp: true,
  replies: { 201: z.strictObject({ recoveryCodes: RecoveryCodes }) },
  refusals: [OwnProofNeeded, SecondFactorMissing],
  repeat: 'natural',
});

export const resetOfMember = endpoint({
  method: 'POST',
  path: '/api/v1/users/members/{memberId}/second-factors/reset',
  summary: 'Removes all second factors of a member and ends their sessions.',
  access: changeMembers,
  stepUp: true,
  params: z.strictObject({ memberId: Id }),
  replies: { 204: z.null() },
  refusals: [Absent, MemberElsewhere],
});
