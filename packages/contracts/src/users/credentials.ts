import { refusal } from '@marimo/problems';
import { z } from 'zod';

const NoFacts = z.object({});

export class EmailTaken extends refusal(NoFacts, {
  code: 'users.email-taken',
  kind: 'conflict',
  title: 'This e-mail cannot be used to register',
  detail: () =>
    'If the account is yours, sign in and create the organisation, or use POST /api/v1/users/register/with-account if you have no active membership. Otherwise register with another e-mail.',
}) {}

/** The first rule the password breaks, so that a form can say it in the reader's own words. */
export const PasswordProblem = z.enum(['too-short', 'too-simple', 'too-common']);
export type PasswordProblem = z.infer<typeof PasswordProblem>;

const passwordAdvice: Record<PasswordProblem, string> = {
  'too-short': 'Use at least 8 characters.',
  'too-simple':
    'Use 15 or more characters of any kind, or at least 8 with an upper-case letter, a lower-case letter and a digit.',
  'too-common': 'It is commonly used, or is made of your name or ours. Choose another.',
};

export class PasswordTooWeak extends refusal(z.object({ reason: PasswordProblem }), {
  code: 'users.password-too-weak',
  kind: 'refused',
  title: 'The password is too easy to guess',
  detail: ({ reason }) => passwordAdvice[reason],
}) {}

/** The same for an unknown e-mail and a wrong password, so that it does not tell who has an account. */
export class WrongCredentials extends refusal(NoFacts, {
  code: 'users.wrong-credentials',
  kind: 'unauthenticated',
  title: 'The e-mail or the password is wrong',
  detail: () => 'Check both and try again.',
}) {}

export class TooManyAttempts extends refusal(NoFacts, {
  code: 'users.too-many-attempts',
  kind: 'busy',
  title: 'Too many failed attempts to sign in',
  detail: () => 'Retry after the time given in Retry-After.',
}) {}

/** The same whether it is unknown, used up, out of date or of an ended session. */
export class RefreshTokenRefused extends refusal(NoFacts, {
  code: 'users.refresh-token-refused',
  kind: 'unauthenticated',
  title: 'The session cannot be continued',
  detail: () => 'Sign in again.',
}) {}

/** A provider vouches for somebody in its own organisation only. */
export class OwnProofNeeded extends refusal(NoFacts, {
  code: 'users.own-proof-needed',
  kind: 'forbidden',
  title: 'Your own password or second factor is required',
  detail: () =>
    "A sign-in with your organisation's provider is valid only within it. Use POST /api/v1/users/step-up, or sign in with your password.",
}) {}
