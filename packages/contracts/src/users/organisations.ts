import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
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
  closesAt: Instant.nullable(),
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
  detail: () => 'Make another active member an administrator without an end date, then try again.',
}) {}

export class OrganisationNotInState extends refusal(
  z.object({ state: OrganisationState, needed: z.array(OrganisationState) }),
  {
    code: 'users.organisation-not-in-state',
    kind: 'conflict',
    title: 'The state of the organisation does not allow this',
    detail: ({ state, needed }) => `It is ${state}; it must be ${needed.join(' or ')}.`,
  },
) {}

/** A safeguard for a hand that slipped: whoever closes an organisation writes its name. */
export class OrganisationNameDiffers extends refusal(z.object({}), {
  code: 'users.organisation-name-differs',
  kind: 'refused',
  title: 'The name does not match the organisation',
  detail: () => 'Enter the name exactly as GET /api/v1/users/organisation returns it.',
}) {}

/** Only ever said to who has proved that the account is theirs. */
export class NoActiveMembership extends refusal(z.object({}), {
  code: 'users.no-active-membership',
  kind: 'forbidden',
  title: 'You are not an active member of any organisation',
  detail: () =>
    'All your memberships have ended or are suspended. Ask an administrator to reinstate or invite you, or register your own organisation with POST /api/v1/users/register/with-account.',
}) {}

const path = '/api/v1/users/organisation';

export const get = endpoint({
  method: 'GET',
  path,
  summary: "Returns the caller's organisation with its settings. Send the ETag as If-Match when updating it.",
  access: 'signed-in',
  replies: { 200: OrganisationSettings },
});

export const change = endpoint({
  method: 'PATCH',
  path,
  summary:
    'Updates the settings of the organisation. Lowering its protection requires a recent step-up. The base currency cannot be changed, because the books depend on it.',
  access: may.changeOrganisation,
  body: ChangeOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [Stale],
});

export const suspend = endpoint({
  method: 'POST',
  path: `${path}/suspend`,
  summary: 'Suspends the organisation and ends the sessions of all members who cannot resume it.',
  access: may.suspendOrganisation,
  stepUp: true,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const resume = endpoint({
  method: 'POST',
  path: `${path}/resume`,
  summary: 'Resumes a suspended organisation.',
  access: may.suspendOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const close = endpoint({
  method: 'POST',
  path: `${path}/close`,
  summary: `Closes the organisation and stops all work. It can be reopened within ${reopenWithinDays} days; every administrator is notified by e-mail.`,
  access: may.closeOrganisation,
  stepUp: true,
  body: z.strictObject({ name: Name }),
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState, OrganisationNameDiffers],
});

export const reopen = endpoint({
  method: 'POST',
  path: `${path}/reopen`,
  summary: 'Cancels closing, until the organisation is closed; every administrator is notified.',
  access: may.closeOrganisation,
  replies: { 200: OrganisationSettings },
  refusals: [OrganisationNotInState],
});

export const leave = endpoint({
  method: 'POST',
  path: `${path}/leave`,
  summary: "Ends the caller's membership and their sessions in the organisation; the account is kept.",
  access: 'signed-in',
  stepUp: true,
  replies: { 204: z.null() },
  refusals: [Absent, LastAdministrator],
  repeat: 'natural',
});

/** An organisation the caller belongs to. */
export const OrganisationMembership = z.strictObject({
  id: Id,
  name: z.string(),
  state: OrganisationState,
  /** What the caller is there; only an active member can work there. */
  membership: z.enum(['active', 'suspended']),
});
export type OrganisationMembership = z.infer<typeof OrganisationMembership>;

export const listMemberships = endpoint({
  method: 'GET',
  path: '/api/v1/users/organisations',
  summary: 'Lists the organisations the caller belongs to, by name.',
  access: 'signed-in',
  replies: { 200: z.strictObject({ items: z.array(OrganisationMembership) }) },
});

export const switchTo = endpoint({
  method: 'POST',
  path: '/api/v1/users/switch',
  summary:
    'Switches to another organisation: ends this session and starts one there without another sign-in.',
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
