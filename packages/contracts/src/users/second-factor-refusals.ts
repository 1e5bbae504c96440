import { refusal } from '@marimo/problems';
import { z } from 'zod';

const NoFacts = z.object({});

/** The same whether it is unknown, of something else, used up, out of date or failed too often. */
export class SignInChallengeRefused extends refusal(NoFacts, {
  code: 'users.sign-in-challenge-refused',
  kind: 'unauthenticated',
  title: 'The sign-in cannot be completed',
  detail: () => 'It has expired, was completed or failed too often. Start again with the password.',
}) {}

/** The same for every reason, so that it helps nobody to guess. */
export class ProofRefused extends refusal(NoFacts, {
  code: 'users.proof-refused',
  kind: 'unauthenticated',
  title: 'Authentication failed',
  detail: () => 'Check what you entered, wait for the next code, or use another method.',
}) {}

export class SecondFactorNeeded extends refusal(
  z.object({ factors: z.array(z.enum(['totp', 'recovery-code', 'passkey'])) }),
  {
    code: 'users.second-factor-needed',
    kind: 'refused',
    title: 'A second factor is required',
    detail: ({ factors }) => `Use one of: ${factors.join(', ')}.`,
  },
) {}

export class SecondFactorMissing extends refusal(NoFacts, {
  code: 'users.second-factor-missing',
  kind: 'refused',
  title: 'You have no second factor of this kind',
  detail: () => 'Add an authenticator app or a passkey first.',
}) {}

export class TooManySecondFactors extends refusal(z.object({ most: z.int() }), {
  code: 'users.too-many-second-factors',
  kind: 'refused',
  title: 'Too many second factors of this kind',
  detail: ({ most }) => `The limit is ${most}. Remove one first.`,
}) {}

export class LastFactorDemanded extends refusal(NoFacts, {
  code: 'users.last-factor-demanded',
  kind: 'refused',
  title: 'Your organisation requires a second factor, and this is your last',
  detail: () => 'Add another one first, then remove this one.',
}) {}

export class PasskeyNotAdded extends refusal(NoFacts, {
  code: 'users.passkey-not-added',
  kind: 'refused',
  title: 'The passkey could not be added',
  detail: () => 'Request new options and create the passkey again.',
}) {}

export class PasskeyKnown extends refusal(NoFacts, {
  code: 'users.passkey-known',
  kind: 'conflict',
  title: 'This passkey was already added',
  detail: () => 'Use another device, or sign in with the existing passkey.',
}) {}

/** Factors belong to the person: one organisation must not decide about how they enter another. */
export class MemberElsewhere extends refusal(NoFacts, {
  code: 'users.member-elsewhere',
  kind: 'refused',
  title: 'This person is also a member of other organisations',
  detail: () => 'You cannot remove their second factors. They can use a recovery code.',
}) {}
