import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { readEmails } from './permissions.ts';

/** `given-up`: every attempt failed; it stays until somebody has looked at it. */
export const EmailState = z.enum(['waiting', 'sent', 'given-up']);
export type EmailState = z.infer<typeof EmailState>;

export const Email = z.strictObject({
  /** The id of the event that caused it, so that one event is one mail. */
  id: Id,
  kind: z.enum([
    'welcome',
    'verify-email',
    'reset-password',
    'password-changed',
    'email-change',
    'second-factor',
    'invitation',
    'organisation-closing',
    'erased',
  ]),
  to: personal(z.string()),
  subject: z.string(),
  state: EmailState,
  attempts: z.int(),
  createdAt: Instant,
  sentAt: Instant.nullable(),
  /** When it is tried again, while it waits. */
  nextAttemptAt: Instant.nullable(),
  /** What the mail server said, which may repeat the address. */
  lastFailure: personal(z.string()).nullable(),
});
export type Email = z.infer<typeof Email>;

export const list = endpoint({
  method: 'GET',
  path: '/api/v1/workers/emails',
  summary: "Lists the organisation's mails with their delivery state, newest first.",
  access: readEmails,
  query: PageQuery.extend({ state: EmailState.optional() }),
  replies: { 200: pageOf(Email) },
});
