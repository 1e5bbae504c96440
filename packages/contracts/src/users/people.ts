import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { personal } from '../personal.ts';
import { Stale, TooManyRequests } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { OwnProofNeeded, PasswordTooWeak, TooManyAttempts } from './credentials.ts';
import { Email, Language, Me, Password, TimeZone } from './identity.ts';
import { KnownDevice } from './known-devices.ts';
import { LinkRefused, LinkToken } from './mail-links.ts';

/** Minutes a link to set a new password can be used. */
export const resetLinkLastsMinutes = 60;
/** Days a link that proves a mailbox can be used. */
export const verificationLinkLastsDays = 3;

/** Not 401, which a client would answer by refreshing its token. */
export class CurrentPasswordWrong extends refusal(z.object({}), {
  code: 'users.current-password-wrong',
  kind: 'refused',
  title: 'The current password is wrong',
  detail: () => 'Enter the password you sign in with.',
}) {}

export class PasswordNotSet extends refusal(z.object({}), {
  code: 'users.password-not-set',
  kind: 'conflict',
  title: 'Your account has no password',
  detail: () => 'You sign in with a provider; change the password there.',
}) {}

export class EmailVerifiedAlready extends refusal(z.object({}), {
  code: 'users.email-verified-already',
  kind: 'conflict',
  title: 'This e-mail is already verified',
  detail: () => 'No action is needed.',
}) {}

/** Said only to who has proved that the mailbox is theirs. */
export class EmailInUse extends refusal(z.object({}), {
  code: 'users.email-in-use',
  kind: 'conflict',
  title: 'This e-mail belongs to another account',
  detail: () => 'Sign in with that account, or choose another e-mail.',
}) {}

export class TooManyMails extends refusal(z.object({}), {
  code: 'users.too-many-mails',
  kind: 'busy',
  title: 'Too many mails were sent to this address',
  detail: () => 'Check the mailbox, or retry after the time given in Retry-After.',
}) {}

export const ChangeMe = z.strictObject({
  name: personal(Name).optional(),
  language: Language.optional(),
  timeZone: TimeZone.optional(),
});
export type ChangeMe = z.output<typeof ChangeMe>;

export const changeMe = endpoint({
  method: 'PATCH',
  path: '/api/v1/users/me',
  summary: "Updates the caller's name, language and time zone.",
  access: 'signed-in',
  body: ChangeMe,
  replies: { 200: Me },
  refusals: [Stale, OwnProofNeeded],
});

/** The session goes on with the access token of the answer; every other session of the person ends, everywhere. */
export const changePassword = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/password',
  summary: "Changes the caller's password and ends their other sessions.",
  access: 'signed-in',
  body: z.strictObject({ current: Password, new: Password }),
  replies: {
    200: z.strictObject({
      accessToken: z.string(),
      /** Seconds the access token lasts. */
      expiresIn: z.int(),
      tokenType: z.literal('Bearer'),
    }),
  },
  refusals: [CurrentPasswordWrong, PasswordNotSet, PasswordTooWeak, TooManyAttempts, TooManyRequests],
  repeat: 'natural',
});

/** The answer is the same for every address, known or not. At most three mails an hour go to one mailbox. */
export const askPasswordReset = endpoint({
  method: 'POST',
  path: '/api/v1/users/password-resets',
  summary: 'Sends a password reset link if the address belongs to an account with a password.',
  access: 'public',
  body: z.strictObject({ email: Email }),
  replies: { 202: z.null() },
  refusals: [TooManyRequests],
  repeat: 'natural',
});

/**
 * It does not sign in: who has a second factor still needs it. The device is known from now on, so that the owner gets in
 * although strangers go on guessing.
 */
export const finishPasswordReset = endpoint({
  method: 'POST',
  path: '/api/v1/users/password-resets/finish',
  summary: 'Sets a new password with the token of a reset link and ends all sessions of the person.',
  access: 'public',
  body: z.strictObject({ token: LinkToken, password: Password }),
  replies: { 200: KnownDevice },
  refusals: [LinkRefused, PasswordTooWeak, TooManyRequests],
  repeat: 'natural',
});

export const askEmailVerification = endpoint({
  method: 'POST',
  path: '/api/v1/users/email-verifications',
  summary: 'Sends the verification link to the caller again.',
  access: 'signed-in',
  replies: { 202: z.null() },
  refusals: [EmailVerifiedAlready, TooManyMails],
  repeat: 'natural',
});

export const finishEmailVerification = endpoint({
  method: 'POST',
  path: '/api/v1/users/email-verifications/finish',
  summary: 'Verifies an e-mail with the token of its link; a requested change of e-mail takes effect.',
  access: 'public',
  body: z.strictObject({ token: LinkToken }),
  replies: { 204: z.null() },
  refusals: [LinkRefused, EmailInUse],
  repeat: 'natural',
});

/** Whether the address is taken shows only to who opens the mail sent there. */
export const changeEmail = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/email',
  summary: 'Sends a verification link to a new e-mail, which replaces the old one when the link is used.',
  access: 'signed-in',
  stepUp: true,
  body: z.strictObject({ email: Email }),
  replies: { 202: z.null() },
  refusals: [TooManyMails, OwnProofNeeded],
  repeat: 'natural',
});

// Subject of all of them: the person. They hold no address and no name, because events are kept: who writes the mail
// asks for it with `linkId`.

export const changed = event(
  'users.person-changed.v1',
  z.strictObject({ userId: Id, changed: z.array(z.enum(['name', 'language', 'timeZone'])) }),
);

export const emailVerificationAsked = event(
  'users.email-verification-asked.v1',
  z.strictObject({ userId: Id, linkId: Id }),
);
export const emailVerified = event('users.email-verified.v1', z.strictObject({ userId: Id }));

/** The mail of `linkId` goes to the old address; `verificationLinkId` is the link sent to the new one. */
export const emailChangeAsked = event(
  'users.email-change-asked.v1',
  z.strictObject({ userId: Id, linkId: Id, verificationLinkId: Id }),
);
export const emailChanged = event('users.email-changed.v1', z.strictObject({ userId: Id }));

export const passwordResetAsked = event(
  'users.password-reset-asked.v1',
  z.strictObject({ userId: Id, linkId: Id }),
);
export const passwordChanged = event(
  'users.password-changed.v1',
  z.strictObject({ userId: Id, linkId: Id, by: z.enum(['change', 'reset']) }),
);
