import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
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
  joinedAt: z.iso.datetime(),
  /** When one of their sessions here was last used; null when none is remembered. */
  lastSeenAt: z.iso.datetime().nullable(),
});
export type Member = z.infer<typeof Member>;

export class MemberHasLeft extends refusal(z.object({}), {
  code: 'users.member-has-left',
  kind: 'conflict',
  title: 'This person is not a member any more',
  detail: () => 'Invite them anew if they shall come back.',
}) {}

export class OwnMembership extends refusal(z.object({}), {
  code: 'users.own-membership',
  kind: 'refused',
  title: 'Nobody decides on their own membership this way',
  detail: () => 'To go, leave the organisation; for the rest ask another administrator.',
}) {}

const path = '/api/v1/users/members';
const MemberParams = z.strictObject({ memberId: Id });

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'The members of the organisation by name, also those who have left.',
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
  summary: 'One member.',
  access: readMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent],
});

export const suspend = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/suspend`,
  summary: 'Shuts a member out until they are reinstated; their roles wait for them.',
  access: changeMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent, MemberHasLeft, OwnMembership, GrantsBeyondOwn, LastAdministrator],
});

export const reinstate = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/reinstate`,
  summary: 'Lets a suspended member in again, with the roles they had.',
  access: changeMembers,
  params: MemberParams,
  replies: { 200: Member },
  refusals: [Absent, MemberHasLeft, OwnMembership, GrantsBeyondOwn],
});

export const remove = endpoint({
  method: 'POST',
  path: `${path}/{memberId}/remove`,
  summary:
    'Ends a membership: roles, sessions and personal API keys with it. An invitation can begin it anew.',
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
