import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { OwnProofNeeded } from './credentials.ts';
import { Language, Organisation, OrganisationState, SignedIn, TimeZone } from './identity.ts';
import * as may from './permissions.ts';

/** Days in which an organisation that is closing can still be reopened. */
export const reopenWithinDays = 30;

export const OrganisationSettings = Organisation.extend({
  /** Members need a second factor before they may do anything. */
  requireSecondFactor: z.boolean(),
  /** Duties are kept apart inside the built-in roles too. */
  strictSeparation: z.boolean(),
  /** Until then it can be reopened; null unless it is closing or closed. */
  closesAt: z.iso.datetime().nullable(),
});
export type OrganisationSettings = z.infer<typeof OrganisationSettings>;

/** The base currency is not among them: the books are kept in it from the first entry on. */
export const ChangeOrganisation = z.strictObject({
  name: Name.optional(),
  language: Language.optional(),
  timeZone: TimeZone.optional(),
  requireSecondFactor: z.boolean().optional(),
  strictSeparation: z.boolean().optional(),
});
export type ChangeOrganisation = z.output<typeof ChangeOrganisation>;

/** Somebody must remain who can let others in. */
export class LastAdministrator extends refusal(z.object({}), {
  code: 'users.last-administrator',
  kind: 'refused',
  title: 'The organisation would be left without an administrator',
  detail: () => 'Make another active member an administrator, without an end, and try again.',
}) {}

export class OrganisationNotInState extends refusal(
  z.object({ state: OrganisationState, needed: z.array(OrganisationState) }),
  {
    code: 'users.organisation-not-in-state',
    kind: 'conflict',
    title: 'The organisation is not in a state that allows this',
    detail: ({ state, needed }) => `It is ${state} and would have to be ${needed.join(' or ')}.`,
  },
) {}

/** A safeguard for a hand that slipped: whoever closes an organisation writes its name. */
export class OrganisationNameDiffers extends refusal(z.object({}), {
  code: 'users.organisation-name-differs',
  kind: 'refused',
  title: 'This is not the name of the organisation',
  detail: () => 'Write the name exactly as GET /api/v1/users/organisation shows it.',
}) {}

/** Only ever said to who has proved that the account is theirs. */
export class NoActiveMembership extends refusal(z.object({}), {
  code: 'users.no-active-membership',
  kind: 'forbidden',
  title: 'You are no active member of any organisation',
  detail: () =>
    'Your account is there, but every membership has ended or is suspended. Ask an administrator to reinstate or invite you, or register an organisation of your own with POST /api/v1/users/register/with-account.',
}) {}

const path = '/api/v1/users/organisation';

export const get = endpoint({
  method: 'GET',
  path,
  summary: "The caller's organisation with its settings; its ETag is for the change.",
  access: 'signed-in',
  replies: { 200: OrganisationSettings },
});

export const change = endpoint({
  method: 'PATCH',
  path,
  summary:
    'Changes settings of the organisation; to lower its protection the proof of identity must be young. The base currency stays, because the books depend on it.',
  access: may.changeOrganisation,
  body: ChangeOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [Stale],
});

export const suspend = endpoint({
  method: 'POST',
  path: `${path}/suspend`,
  summary: 'Stops all work: ends the sessions of everybody who could not resume it.',
  access: may.suspendOrganisation,
  stepUp: true,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const resume = endpoint({
  method: 'POST',
  path: `${path}/resume`,
  summary: 'Lets a suspended organisation work again.',
  access: may.suspendOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const close = endpoint({
  method: 'POST',
  path: `${path}/close`,
  summary: `Stops all work for good; for ${reopenWithinDays} days it can be reopened, and every administrator is told by mail.`,
  access: may.closeOrganisation,
  stepUp: true,
  body: z.strictObject({ name: Name }),
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState, OrganisationNameDiffers],
});

export const reopen = endpoint({
  method: 'POST',
  path: `${path}/reopen`,
  summary: 'Takes the closing back, as long as the organisation is not closed; every administrator is told.',
  access: may.closeOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const leave = endpoint({
  method: 'POST',
  path: `${path}/leave`,
  summary: "Ends the caller's own membership and their sessions there; the account stays.",
  access: 'signed-in',
  stepUp: true,
  replies: { 204: z.null() },
  refusals: [Absent, LastAdministrator],
  repeat: 'natural',
});

/** An organisation the caller belongs to. */
export const Workplace = z.strictObject({
  id: Id,
  name: z.string(),
  state: OrganisationState,
  /** What the caller is there; only an active member can work there. */
  membership: z.enum(['active', 'suspended']),
});
export type Workplace = z.infer<typeof Workplace>;

export const listWorkplaces = endpoint({
  method: 'GET',
  path: '/api/v1/users/organisations',
  summary: 'The organisations the caller belongs to, by name.',
  access: 'signed-in',
  replies: { 200: z.strictObject({ items: z.array(Workplace) }) },
});

export const switchTo = endpoint({
  method: 'POST',
  path: '/api/v1/users/switch',
  summary:
    'Goes on in another organisation: ends this session and begins one there, without signing in anew.',
  access: 'signed-in',
  body: z.strictObject({ organisationId: Id }),
  replies: { 200: SignedIn },
  refusals: [Absent, OwnProofNeeded],
  repeat: 'natural',
});

/** Subject: the organisation. Each carries it as it is afterwards. */
const organisationEvent = (what: string) => event(`users.organisation-${what}.v1`, OrganisationSettings);
export const changed = organisationEvent('changed');
export const suspended = organisationEvent('suspended');
export const resumed = organisationEvent('resumed');
export const closing = organisationEvent('closing');
export const reopened = organisationEvent('reopened');
export const closed = organisationEvent('closed');

/**
 * Subject: the administrator who is told, one event for each. Who writes the mail asks for name and address with `linkId`.
 */
export const closingAnnounced = event(
  'users.organisation-closing-announced.v1',
  z.strictObject({
    userId: Id,
    linkId: Id,
    /** The day on which it closes, as the organisation counts days. */
    closesOn: z.iso.date(),
  }),
);
export const reopeningAnnounced = event(
  'users.organisation-reopening-announced.v1',
  z.strictObject({ userId: Id, linkId: Id }),
);
