import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { CurrencyCode } from '../measures.ts';
import { TooManyRequests } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { OwnProofNeeded, TooManyAttempts, WrongCredentials } from './credentials.ts';
import { Language, Login, SignedIn, TimeZone } from './identity.ts';
import { ProofRefused, SignInChallengeRefused } from './second-factor-refusals.ts';
import { FinishLogin, SecondFactorAsked } from './second-factors.ts';

/** Language and time zone are those of its founder unless told. */
export const FoundOrganisation = z.strictObject({
  organisation: Name, // its name; ids are ours
  baseCurrency: CurrencyCode.default('RUB'),
  language: Language.optional(),
  timeZone: TimeZone.optional(),
});
export type FoundOrganisation = z.output<typeof FoundOrganisation>;

/** The caller's session is over with it, so the same request sent twice founds one organisation. */
export const found = endpoint({
  method: 'POST',
  path: '/api/v1/users/organisations',
  summary: 'Creates another organisation with the caller as its first administrator, and switches to it.',
  access: 'signed-in',
  body: FoundOrganisation,
  replies: { 201: SignedIn },
  refusals: [OwnProofNeeded],
  repeat: 'natural',
});

/** Only ever said to who has proved that the account is theirs. */
export class SignInToFound extends refusal(z.object({}), {
  code: 'users.sign-in-to-found',
  kind: 'conflict',
  title: 'This account can sign in',
  detail: () => 'Sign in and create the organisation with POST /api/v1/users/organisations.',
}) {}

export const RegisterWithAccount = z.strictObject({
  ...FoundOrganisation.shape,
  ...Login.shape,
  /** The answer to what a 202 asked for; everything else is sent again as it was. */
  secondFactor: FinishLogin.optional(),
});
export type RegisterWithAccount = z.output<typeof RegisterWithAccount>;

/**
 * For who has left every organisation, or whose last one was closed: they cannot sign in, since a session belongs to an
 * organisation. An unknown e-mail and a wrong password get the same answer, as at `/login`.
 *
 * 202: the password is right, and the person has a second factor; nothing is registered yet.
 */
export const registerWithAccount = endpoint({
  method: 'POST',
  path: '/api/v1/users/register/with-account',
  summary: 'Registers an organisation with an existing account that has no active membership, and signs in.',
  access: 'public',
  body: RegisterWithAccount,
  replies: { 201: SignedIn, 202: SecondFactorAsked },
  refusals: [
    WrongCredentials,
    SignInToFound,
    SignInChallengeRefused,
    ProofRefused,
    TooManyAttempts,
    TooManyRequests,
  ],
  repeat: 'natural',
});
