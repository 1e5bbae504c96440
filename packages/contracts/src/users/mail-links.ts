import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { forServices } from '../permission.ts';
import { personal } from '../personal.ts';
import { Language } from './identity.ts';

/** What a link in a mail is good for. `notice`: the mail tells something and leads nowhere. */
export const MailPurpose = z.enum(['invitation', 'verify-email', 'reset-password', 'notice']);
export type MailPurpose = z.infer<typeof MailPurpose>;

/** The part of a link that proves its mail was received. */
export const LinkToken = z.string().min(1).max(200);

/** The same whether it was used, replaced by a newer one, is out of date, or never was. */
export class LinkRefused extends refusal(z.object({}), {
  code: 'users.link-refused',
  kind: 'refused',
  title: 'This link cannot be used',
  detail: () => 'It was used, was replaced by a newer one, or has expired. Request a new one.',
}) {}

/** Whom a mail goes to and where it leads. Events name only its id; what opens an account is told here alone. */
export const MailLink = z.strictObject({
  purpose: MailPurpose,
  /** Null for a notice. */
  url: z.string().nullable(),
  recipient: z.strictObject({ email: personal(z.string()), name: personal(z.string()), language: Language }),
  /** The name of the organisation the mail is written for. */
  organisation: z.string(),
});
export type MailLink = z.infer<typeof MailLink>;

/** 204 once the link is used, replaced or out of date: then the mail has no use any more and is not written. */
export const follow = endpoint({
  method: 'GET',
  path: '/internal/users/mail-links/{linkId}',
  summary: 'Returns what the mail worker needs to write a mail.',
  access: forServices('workers'),
  params: z.strictObject({ linkId: Id }),
  replies: { 200: MailLink, 204: z.null() },
});
