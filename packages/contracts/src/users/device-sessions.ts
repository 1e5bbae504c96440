import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Name } from '../texts.ts';
import { AuthenticationMethod } from './access-token.ts';
import { changeMembers } from './permissions.ts';

/** A session as its person sees it: where they are signed in. */
export const DeviceSession = z.strictObject({
  id: Id,
  organisation: z.strictObject({ id: Id, name: z.string() }),
  /** The one that asks. */
  current: z.boolean(),
  /** The person's own name for the device; null until they give one. */
  deviceName: personal(z.string()).nullable(),
  /** What the program that signed in called itself, and the address it came from. */
  client: personal(z.string()),
  address: personal(z.string()),
  methods: z.array(AuthenticationMethod),
  startedAt: Instant,
  lastUsedAt: Instant,
  expiresAt: Instant,
});
export type DeviceSession = z.infer<typeof DeviceSession>;

const Sessions = z.strictObject({ items: z.array(DeviceSession), next: z.null() });
const OneSession = z.strictObject({ sessionId: Id });
const Ended = z.strictObject({ ended: z.int().min(0) });

export const listMine = endpoint({
  method: 'GET',
  path: '/api/v1/users/me/sessions',
  summary: "Lists the caller's sessions in every organisation, last used first.",
  access: 'signed-in',
  replies: { 200: Sessions },
});

export const nameMine = endpoint({
  method: 'PATCH',
  path: '/api/v1/users/me/sessions/{sessionId}',
  summary: "Names the device of one of the caller's sessions.",
  access: 'signed-in',
  params: OneSession,
  body: z.strictObject({ deviceName: personal(Name) }),
  replies: { 200: DeviceSession },
});

/** Revoking one that has ended, or a stranger's, changes nothing: the first is done already, the second is absent. */
export const revokeMine = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/sessions/{sessionId}/revoke',
  summary: "Ends one of the caller's sessions; its tokens are rejected everywhere within seconds.",
  access: 'signed-in',
  params: OneSession,
  replies: { 204: z.null() },
  repeat: 'natural',
});

export const revokeAllMine = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/sessions/revoke',
  summary: "Ends the caller's other sessions in every organisation, or all of them.",
  access: 'signed-in',
  body: z.strictObject({ which: z.enum(['others', 'all']) }),
  replies: { 200: Ended },
  repeat: 'natural',
});

export const revokeOfMember = endpoint({
  method: 'POST',
  path: '/api/v1/users/members/{memberId}/sessions/revoke',
  summary: "Ends a member's sessions in this organisation, for example when a device is lost.",
  access: changeMembers,
  params: z.strictObject({ memberId: Id }),
  replies: { 200: Ended },
  repeat: 'natural',
});
