import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent, Forbidden, TooManyRequests } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { OwnProofNeeded, PasswordTooWeak, TooManyAttempts, WrongCredentials } from './credentials.ts';
import { Email, Language, Password, SignedIn, TimeZone } from './identity.ts';
import { LimitReached, mostAtATime } from './limits.ts';
import { LinkToken } from './mail-links.ts';
import { inviteMembers } from './permissions.ts';
import { RoleMoment } from './role-assignments.ts';
import {
  GrantsBeyondOwn,
  RoleUnknown,
  SeparationOfDutiesViolated,
  TooManyRights,
  ValidityOver,
} from './role-refusals.ts';

/** Days in which an invitation can be accepted. */
export const lastsDays = 7;

/** `replaced`: the same address was invited anew, and only the newer mail works. */
export const InvitationState = z.enum(['open', 'accepted', 'revoked', 'replaced', 'expired']);
export type InvitationState = z.infer<typeof InvitationState>;

/** It does not tell whether the address has an account: that is nobody's business but its owner's. */
export const Invitation = z.strictObject({
  id: Id,
  email: personal(z.string()),
  /** Given with the membership. */
  roles: z.array(RoleName),
  /** When those roles end; null for never. */
  validUntil: Instant.nullable(),
  /** Of the mail. */
  language: Language,
  state: InvitationState,
  invitedBy: Id,
  invitedAt: Instant,
  expiresAt: Instant,
});
export type Invitation = z.infer<typeof Invitation>;

export const InviteMember = z.strictObject({
  email: Email,
  /** With any role the caller needs `users.role.assign` as well. */
  roles: z.array(RoleName).max(20).default([]),
  /** Of the mail; the organisation's unless told. */
  language: Language.optional(),
  validUntil: RoleMoment.optional(),
});
export type InviteMember = z.output<typeof InviteMember>;

export class AlreadyMember extends refusal(z.object({}), {
  code: 'users.already-member',
  kind: 'conflict',
  title: 'This person is already a member',
  detail: () => 'To let a suspended member return, reinstate them.',
}) {}

/** The same whether it is unknown, used, revoked, replaced or out of date. */
export class InvitationUnusable extends refusal(z.object({}), {
  code: 'users.invitation-unusable',
  kind: 'absent',
  title: 'This invitation cannot be used',
  detail: () => 'It was used or revoked, or has expired. Ask for a new one.',
}) {}

export class InvitationNotOpen extends refusal(z.object({ state: InvitationState }), {
  code: 'users.invitation-not-open',
  kind: 'conflict',
  title: 'The invitation is no longer open',
  detail: ({ state }) => `It is ${state}. Send a new invitation.`,
}) {}

/** Said to who holds the invitation, so to the owner of the mailbox. */
export class InvitationForAnother extends refusal(z.object({}), {
  code: 'users.invitation-for-another',
  kind: 'forbidden',
  title: 'The invitation is for another e-mail',
  detail: () => 'Sign in with the account of the invited e-mail.',
}) {}

export class SignInToAccept extends refusal(z.object({}), {
  code: 'users.sign-in-to-accept',
  kind: 'conflict',
  title: 'An account with this e-mail exists',
  detail: () => 'Sign in and accept the invitation with POST /api/v1/users/invitations/accept-signed-in.',
}) {}

/** So that nobody sends mail to the world through us. */
export class TooManyInvitations extends refusal(z.object({ limit: z.int() }), {
  code: 'users.too-many-invitations',
  kind: 'busy',
  title: 'Too many invitations were sent',
  detail: ({ limit }) => `The limit is ${limit} mails per day, and one per minute to the same address.`,
}) {}

/** It gives what its sender may give at that moment. */
const ofGiving = [
  Forbidden,
  RoleUnknown,
  GrantsBeyondOwn,
  SeparationOfDutiesViolated,
  TooManyRights,
  ValidityOver,
];

const path = '/api/v1/users/invitations';
const InvitationParams = z.strictObject({ invitationId: Id });

export const invite = endpoint({
  method: 'POST',
  path,
  summary: `Invites a person by e-mail. Replaces an open invitation to the same address; at most ${mostAtATime.openInvitations} can be open.`,
  access: inviteMembers,
  body: InviteMember,
  replies: { 201: Invitation },
  refusals: [AlreadyMember, LimitReached, TooManyInvitations, ...ofGiving],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: "Lists the organisation's invitations, newest first.",
  access: inviteMembers,
  query: PageQuery.extend({ state: InvitationState.optional() }),
  replies: { 200: pageOf(Invitation) },
});

export const revoke = endpoint({
  method: 'POST',
  path: `${path}/{invitationId}/revoke`,
  summary: 'Revokes an invitation. Repeating the request has no effect.',
  access: inviteMembers,
  params: InvitationParams,
  replies: { 200: Invitation },
  refusals: [Absent, InvitationNotOpen],
});

export const resend = endpoint({
  method: 'POST',
  path: `${path}/{invitationId}/resend`,
  summary: 'Sends the invitation again with a new link and a new expiry; the previous link stops working.',
  access: inviteMembers,
  params: InvitationParams,
  replies: { 200: Invitation },
  refusals: [Absent, InvitationNotOpen, LimitReached, TooManyInvitations, ...ofGiving],
});

/**
 * How the invited person accepts: `new` by choosing a name and a password, `sign-in` signed in, `password` with the
 * password of the account, which no organisation lets in at the moment, `first-password` by choosing one for the account
 * of somebody who signed in with a provider only and belongs to no organisation any more.
 */
export const AcceptBy = z.enum(['new', 'sign-in', 'password', 'first-password']);

export const look = endpoint({
  method: 'POST',
  path: `${path}/look`,
  // The token stands in the body, because addresses are logged on their way.
  summary: 'Returns an invitation to the holder of its token.',
  access: 'public',
  body: z.strictObject({ token: LinkToken }),
  replies: {
    200: z.strictObject({
      organisation: z.string(),
      inviter: personal(z.string()),
      email: personal(z.string()),
      language: Language,
      expiresAt: Instant,
      acceptBy: AcceptBy,
    }),
  },
  refusals: [InvitationUnusable],
  repeat: 'natural',
});

/** `name`, `language` and `timeZone` are those of a new account; one that is there keeps its own. */
export const AcceptInvitation = z.strictObject({
  token: LinkToken,
  name: personal(Name),
  password: Password,
  language: Language.default('ru'),
  timeZone: TimeZone.default('UTC'),
});
export type AcceptInvitation = z.output<typeof AcceptInvitation>;

/** 204: joined, but who has a second factor signs in with it. */
export const accept = endpoint({
  method: 'POST',
  path: `${path}/accept`,
  summary: 'Accepts an invitation with a new account, whose e-mail counts as verified, and signs in.',
  access: 'public',
  body: AcceptInvitation,
  replies: { 201: SignedIn, 204: z.null() },
  refusals: [
    InvitationUnusable,
    PasswordTooWeak,
    SignInToAccept,
    AlreadyMember,
    WrongCredentials,
    TooManyAttempts,
    TooManyRequests,
  ],
  repeat: 'natural',
});

export const acceptSignedIn = endpoint({
  method: 'POST',
  path: `${path}/accept-signed-in`,
  summary: "Accepts an invitation with the caller's account, and switches to the organisation.",
  access: 'signed-in',
  body: z.strictObject({ token: LinkToken }),
  replies: { 201: SignedIn },
  refusals: [InvitationUnusable, InvitationForAnother, AlreadyMember, OwnProofNeeded],
  repeat: 'natural',
});

/**
 * Subject: the invitation. Sent again, it is the same event with another link. Neither the address nor the secret of the
 * link is here: who writes the mail asks for them with `linkId`.
 */
export const invited = event(
  'users.member-invited.v1',
  z.strictObject({
    invitationId: Id,
    linkId: Id,
    roles: z.array(RoleName),
    validUntil: Instant.nullable(),
    expiresAt: Instant,
  }),
);
/** Subject: the invitation. */
export const revoked = event('users.invitation-revoked.v1', z.strictObject({ invitationId: Id }));
export const accepted = event(
  'users.invitation-accepted.v1',
  z.strictObject({ invitationId: Id, userId: Id }),
);

/**
 * Subject: the person. By an invitation they took over the account that a provider had vouched for; what else could sign
 * in with it is gone.
 */
export const firstPasswordSet = event(
  'users.first-password-set.v1',
  z.strictObject({ userId: Id, linkId: Id, factorsRemoved: z.int() }),
);
