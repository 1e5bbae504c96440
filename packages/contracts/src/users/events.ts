import { z } from 'zod';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { Organisation, User } from './identity.ts';

/** Subject: the organisation. */
export const organisationRegistered = event(
  'users.organisation-registered.v1',
  z.strictObject({ organisation: Organisation, admin: User }),
);

/** Subject: the session. */
export const sessionStarted = event(
  'users.session-started.v1',
  z.strictObject({ sessionId: Id, userId: Id, method: z.enum(['registration', 'password']) }),
);

/** `replay`: a used refresh token came again, so somebody else may hold a copy. */
export const SessionEndReason = z.enum(['logout', 'replay']);
export type SessionEndReason = z.infer<typeof SessionEndReason>;

/** Subject: the session. */
export const sessionEnded = event(
  'users.session-ended.v1',
  z.strictObject({ sessionId: Id, userId: Id, reason: SessionEndReason }),
);
