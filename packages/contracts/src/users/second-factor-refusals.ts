import { refusal } from '@marimo/problems';
import { z } from 'zod';

const NoFacts = z.object({});

/** The same whether it is unknown, of something else, used up, out of date or failed too often. */
export class SignInChallengeRefused extends refusal(NoFacts, {
  code: 'users.sign-in-challenge-refused',
  kind: 'unauthenticated',
  title: 'This sign-in cannot be finished',
  detail: () => 'It took too long, is finished or has failed too often; begin again with the password.',
}) {}

/** The same for every reason, so that it helps nobody to guess. */
export class ProofRefused extends refusal(NoFacts, {
  code: 'users.proof-refused',
  kind: 'unauthenticated',
  title: 'This does not prove who you are',
  detail: () => 'Check what you entered; wait for the next code, or use another way to prove it.',
}) {}

export class SecondFactorNeeded extends refusal(
  z.object({ factors: z.array(z.enum(['totp', 'recovery-code', 'passkey'])) }),
  {
    code: 'users.second-factor-needed',
    kind: 'refused',
    title: 'The password alone is not enough',
    detail: ({ factors }) => `Prove it with one of ${factors.join(', ')}.`,
  },
) {}

export class SecondFactorMissing extends refusal(NoFacts, {
  code: 'users.second-factor-missing',
  kind: 'refused',
  title: 'You have no such second factor yet',
  detail: () => 'Add an authenticator app or a passkey first.',
}) {}

export class TooManySecondFactors extends refusal(z.object({ most: z.int() }), {
  code: 'users.too-many-second-factors',
  kind: 'refused',
  title: 'You have as many second factors of this kind as there can be',
  detail: ({ most }) => `Remove one of the ${most} first.`,
}) {}

export class LastFactorDemanded extends refusal(NoFacts, {
  code: 'users.last-factor-demanded',
  kind: 'refused',
  title: 'Your organisation demands a second factor, and this is your last',
  detail: () => 'Add another one first, then remove this one.',
}) {}

export class PasskeyNotAdded extends refusal(NoFacts, {
  code: 'users.passkey-not-added',
  kind: 'refused',
  title: 'The passkey could not be added',
  detail: () => 'Ask for new options, and let the browser make the passkey once more.',
}) {}

export class PasskeyKnown extends refusal(NoFacts, {
  code: 'users.passkey-known',
  kind: 'conflict',
  title: 'This passkey has been added already',
  detail: () => 'Use another device, or the passkey as it is.',
}) {}

/** Factors belong to the person: one organisation must not decide about how they enter another. */
export class MemberElsewhere extends refusal(NoFacts, {
  code: 'users.member-elsewhere',
  kind: 'refused',
  title: 'This person is a member of other organisations too',
  detail: () => 'Their second factors are not yours to remove; they can use a recovery code.',
}) {}
