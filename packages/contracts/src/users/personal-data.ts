import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent, BadUpstream, Unavailable } from '../platform/refusals.ts';
import { KeptOfPerson } from '../workers/people.ts';
import { AuthenticationMethod } from './access-token.ts';
import { ApiKey } from './api-keys.ts';
import { OwnProofNeeded } from './credentials.ts';
import { Language } from './identity.ts';
import { InvitationState } from './invitations.ts';
import { MailPurpose } from './mail-links.ts';
import { MemberState } from './members.ts';
import { LastAdministrator } from './organisations.ts';
import * as may from './permissions.ts';
import { SecondFactorKind } from './second-factor-events.ts';
import { SessionEndReason } from './session-events.ts';

/** What erased people are called wherever something of theirs stays. */
export const erasedName = 'Former member';

const Moment = Instant.nullable();

const RoleHeld = z.strictObject({
  role: z.string(),
  validFrom: Instant,
  validUntil: Moment,
  grantedAt: Instant,
  grantedBy: Id.nullable(),
  revokedAt: Moment,
  revokedBy: Id.nullable(),
});

/** A sign-in and what became of it. */
const SessionHeld = z.strictObject({
  id: Id,
  client: personal(z.string()),
  deviceName: personal(z.string()).nullable(),
  address: personal(z.string()),
  methods: z.array(AuthenticationMethod),
  startedAt: Instant,
  lastUsedAt: Instant,
  authenticatedAt: Instant,
  endedAt: Moment,
  endReason: SessionEndReason.nullable(),
});

const OrganisationNamed = z.strictObject({ id: Id, name: z.string() });

const MembershipHeld = z.strictObject({
  organisation: OrganisationNamed,
  state: MemberState,
  joinedAt: Instant,
  periods: z.array(z.strictObject({ from: Instant, until: Moment })),
  roles: z.array(RoleHeld),
  sessions: z.array(SessionHeld),
  apiKeys: z.array(ApiKey),
  /** What the organisation's sign-in providers call them. */
  linkedAccounts: z.array(
    z.strictObject({
      provider: z.string(),
      subject: personal(z.string()),
      linkedAt: Instant,
      lastUsedAt: Instant,
    }),
  ),
});

/**
 * All that is kept of a person, in an order that does not change. Secrets are not in it: neither their own nor ours.
 * `organisation`: only what belongs to the one whose administrator asked.
 */
export const PersonalData = z.strictObject({
  scope: z.enum(['person', 'organisation']),
  person: z.strictObject({
    id: Id,
    name: personal(z.string()),
    /** Null where the organisation has no claim to it: the person has left. */
    email: personal(z.string()).nullable(),
    /** Of the person's account; null in what belongs to an organisation. */
    account: z
      .strictObject({
        emailVerifiedAt: Moment,
        language: Language,
        timeZone: z.string(),
        hasPassword: z.boolean(),
        lastSeenAt: Instant,
      })
      .nullable(),
  }),
  memberships: z.array(MembershipHeld),
  /** Sent to their address. */
  invitations: z.array(
    z.strictObject({
      organisation: OrganisationNamed,
      id: Id,
      email: personal(z.string()),
      state: InvitationState,
      invitedAt: Instant,
    }),
  ),
  secondFactors: z.array(
    z.strictObject({
      id: Id,
      kind: SecondFactorKind,
      name: personal(z.string()),
      addedAt: Moment,
      lastUsedAt: Moment,
    }),
  ),
  /** Mails with a link, and notices, until they are out of date. */
  mail: z.array(
    z.strictObject({
      purpose: MailPurpose,
      email: personal(z.string()),
      name: personal(z.string()),
      issuedAt: Instant,
      expiresAt: Instant,
      usedAt: Moment,
    }),
  ),
  /** Mail that was written, and notifications, by organisation. */
  kept: z.array(KeptOfPerson.extend({ organisationId: Id })),
});
export type PersonalData = z.infer<typeof PersonalData>;

export class OwnEmailDiffers extends refusal(z.object({}), {
  code: 'users.own-email-differs',
  kind: 'refused',
  title: 'The e-mail does not match',
  detail: () => 'To erase your account, enter the e-mail you sign in with.',
}) {}

export class MemberHasNotLeft extends refusal(z.object({}), {
  code: 'users.member-has-not-left',
  kind: 'conflict',
  title: 'This person is still a member',
  detail: () => 'Remove them first; then their personal data can be erased.',
}) {}

const ofMember = { params: z.strictObject({ personId: Id }) };

export const exportMine = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/export',
  summary: "Exports the caller's personal data as one document.",
  access: 'signed-in',
  stepUp: true,
  replies: { 200: PersonalData },
  refusals: [OwnProofNeeded, Unavailable, BadUpstream],
  repeat: 'natural',
});

export const exportOfMember = endpoint({
  method: 'POST',
  path: '/api/v1/users/members/{personId}/export',
  summary: 'Exports the personal data that this organisation keeps of a member as one document.',
  access: may.exportPersonalData,
  ...ofMember,
  replies: { 200: PersonalData },
  refusals: [Absent, Unavailable, BadUpstream],
  repeat: 'natural',
});

/** The own e-mail is a safeguard for a hand that slipped. */
export const eraseMe = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/erase',
  summary: "Ends all of the caller's memberships and permanently erases their personal data.",
  access: 'signed-in',
  stepUp: true,
  body: z.strictObject({ email: personal(z.string().max(254)) }),
  replies: { 204: z.null() },
  refusals: [OwnEmailDiffers, OwnProofNeeded, LastAdministrator],
  repeat: 'natural',
});

export const eraseMember = endpoint({
  method: 'POST',
  path: '/api/v1/users/members/{personId}/erase',
  summary: 'Permanently erases the personal data that this organisation keeps of a former member.',
  access: may.erasePersonalData,
  stepUp: true,
  ...ofMember,
  replies: { 204: z.null() },
  refusals: [Absent, MemberHasNotLeft],
  repeat: 'natural',
});

/** Subject: the person. Personal data left the system, so it is told who took it out. */
export const exported = event(
  'users.personal-data-exported.v1',
  z.strictObject({ userId: Id, scope: z.enum(['person', 'organisation']) }),
);

/**
 * Subject: the person. Told in each organisation that knew them: whoever keeps their name or address removes it. Which
 * address that is, `linkId` tells for an hour more; where `farewell` says so, a last mail goes there.
 */
export const erased = event(
  'users.person-erased.v1',
  z.strictObject({ userId: Id, linkId: Id, farewell: z.boolean() }),
);
