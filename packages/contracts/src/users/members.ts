import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { LastAdministrator } from './organisations.ts';
import { changeMembers, readMembers } from './permissions.ts';
import { GrantsBeyondOwn } from './role-refusals.ts';

/** `left` ends by an invitation only; what the member did stays under their name. */
export const MemberState = z.enum(['active', 'suspended', 'left']);
export type MemberState = z.infer<typeof MemberState>;

export const Member = z.strictObject({
  /** The person's. */
  id: Id,
  name: personal(z.string()),
  /** Null for who has left: how to reach them is not the organisation's any more. */
  email: personal(z.string()).nullable(),
  state: MemberState,
  /** Roles in force now; of a suspended member, those that come back with them. */
  roles: z.array(RoleName),
  /** When they became a member for the first time. */
  joinedAt: Instant,
  /** When one of their sessions here was last used; null when none is remembered. */
  lastSeenAt: Instant.nullable(),
});
export type Member = z.infer<typeof Member>;

export class MemberHasLeft extends refusal(z.object({}), {
  code: 'users.member-has-left',
  kind: 'conflict',
  title: 'This person is no longer a member',
  detail: () => 'Send a new invitation to let them rejoin.',
}) {}

export class OwnMembership extends refusal(z.object({}), {
  code: 'users.own-membership',
  kind: 'refused',
  title: 'You cannot change your own membership this way',
  detail: () => 'To end your membership, leave the organisation; otherwise ask another administrator.',
}) {}

const path = '/api/v1/users/members';
const MemberParams = z.strictObject({ memberId: Id });

export const list = endpoint({
  method: 'GET',
  path,
  summary: "Lists the organisation's members by name, including former ones.",
  access: readMembers,
  query: PageQuery.extend({
    /** A part of the name or of the e-mail. */
    text: personal(Name).optional(),
    state: MemberState.optional(),
  }),
  replies: { 200: pageOf(Member) },
});

export const get = endpoint({
  method: 'GET',
  path: `${path}/{memberId}`,
  summary: 'Returns a member.',
  access: readMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent],
});

export const suspend = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/suspend`,
  summary: 'Suspends a member until they are reinstated; their roles are kept.',
  access: changeMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent, MemberHasLeft, OwnMembership, GrantsBeyondOwn, LastAdministrator],
});

export const reinstate = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/reinstate`,
  summary: 'Reinstates a suspended member with the roles they had.',
  access: changeMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent, MemberHasLeft, OwnMembership, GrantsBeyondOwn],
});

export const remove = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/remove`,
  summary:
    'Removes a member and ends their roles, sessions and personal API keys. A new invitation lets them rejoin.',
  access: changeMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent, OwnMembership, GrantsBeyondOwn, LastAdministrator],
});

/** Subject: the person. `roles`: those in force with the change, or those that ended with it. */
const membershipEvent = (what: string) =>
  event(`users.member-${what}.v1`, z.strictObject({ userId: Id, roles: z.array(RoleName) }));
export const joined = membershipEvent('joined');
export const suspended = membershipEvent('suspended');
export const reinstated = membershipEvent('reinstated');
/** By somebody else. */
export const removed = membershipEvent('removed');
/** By themselves. */
export const left = membershipEvent('left');
