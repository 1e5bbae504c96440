import { z } from 'zod';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { personal } from '../personal.ts';
import { AuthenticationMethod } from './access-token.ts';
import { Organisation, User } from './identity.ts';

/** Subject: the organisation. */
export const organisationRegistered = event(
  'users.organisation-registered.v1',
  z.strictObject({ organisation: Organisation, admin: User }),
);

export const SignInMethod = z.enum([
  'registration',
  'password',
  'passkey',
  'federated',
  'invitation',
  'password-reset',
  'switch',
]);
export type SignInMethod = z.infer<typeof SignInMethod>;

/** Subject: the session. */
export const started = event(
  'users.session-started.v1',
  z.strictObject({
    sessionId: Id,
    userId: Id,
    method: SignInMethod,
    /** How the person proved who they are (RFC 8176). */
    methods: z.array(AuthenticationMethod),
  }),
);

/** `replay`: a used refresh token came again, so somebody else may hold a copy. */
export const SessionEndReason = z.enum([
  'logout',
  'replay',
  'revoked', // by the person, from another session
  'switch', // went on in another organisation
  'password', // it was changed or reset
  'membership', // suspended, left or removed
  'organisation', // suspended or closed
  'second-factors', // reset by an administrator, or one was added and the others were to end
  'erasure',
]);
export type SessionEndReason = z.infer<typeof SessionEndReason>;

/** Subject: the session. */
export const ended = event(
  'users.session-ended.v1',
  z.strictObject({ sessionId: Id, userId: Id, reason: SessionEndReason }),
);

/** Subject: the session. */
export const named = event(
  'users.session-named.v1',
  z.strictObject({ sessionId: Id, userId: Id, deviceName: personal(z.string()) }),
);

/**
 * Subject: the person. Somebody gave a wrong password for their account; at most as often as sign-in is slowed to. It
 * names no address: who was wrong may be anybody.
 */
export const signInFailed = event(
  'users.sign-in-failed.v1',
  z.strictObject({ userId: Id, knownDevice: z.boolean() }),
);
