import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { forServices } from '../permission.ts';
import { personal } from '../personal.ts';
import { Email } from './emails.ts';
import { Notification } from './notifications.ts';

/** What the workers keep of one person in one organisation, that of the service's token, oldest first. */
export const KeptOfPerson = z.strictObject({
  emails: z.array(
    Email.pick({ id: true, kind: true, to: true, subject: true, createdAt: true, sentAt: true }),
  ),
  notifications: z.array(Notification),
});
export type KeptOfPerson = z.infer<typeof KeptOfPerson>;

/** Mail is found by person and by address: who was only invited was no person yet. */
export const getKept = endpoint({
  method: 'GET',
  path: '/internal/workers/people/{personId}',
  summary: 'Returns the personal data that the workers keep of a person, for an export.',
  access: forServices('users'),
  params: z.strictObject({ personId: Id }),
  query: z.strictObject({ email: personal(z.string().max(254)).optional() }),
  replies: { 200: KeptOfPerson },
});
