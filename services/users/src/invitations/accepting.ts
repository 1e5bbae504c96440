import { newId, Unauthenticated } from '@marimo/contracts';
import {
  type AcceptBy,
  AlreadyMember,
  acceptInvitation,
  acceptInvitationSignedIn,
  type Invitation,
  InvitationForAnother,
  InvitationUnusable,
  invitationAccepted,
  lookAtInvitation,
  RoleUnknown,
  SeparationOfDutiesViolated,
  SignInToAccept,
  WrongCredentials,
} from '@marimo/contracts/users';
import type { Transaction, TransactionOptions } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import type { z } from 'zod';
import { findLink, type LinkTokens, useLink } from '../mail-links/index.ts';
import { join } from '../members/index.ts';
import {
  findMembership,
  findPersonByEmail,
  findSettings,
  insertPerson,
  lockOrganisation,
  type Membership,
  type Person,
} from '../organisations/index.ts';
import { demandStrongPassword } from '../passwords/index.ts';
import { demandNoConflict } from '../separation-of-duties/index.ts';
import {
  actingAs,
  createThrottle,
  type SessionParts,
  type StartedSession,
  signedIn,
  startSession,
} from '../sessions/index.ts';
import { switchTo, worksSomewhere } from '../workplaces/index.ts';
import { endInvitation, findInvitation, hasEmail, inviterName, lockInvitation } from './store.ts';

export interface InvitationParts extends SessionParts {
  readonly links: LinkTokens;
}

export function acceptingRoutes(deps: Deps, parts: InvitationParts): readonly Route[] {
  return [lookRoute(deps, parts), acceptRoute(deps, parts), acceptSignedInRoute(deps, parts)];
}

/** An invitation that can be accepted now, and where. */
interface Found {
  readonly linkId: string;
  readonly tenantId: string;
  readonly organisation: string;
  readonly inviter: string;
  readonly invitation: Invitation;
  readonly person: Person | undefined;
  readonly acceptBy: z.infer<typeof AcceptBy>;
}

function lookRoute(deps: Deps, parts: InvitationParts): Route {
  return handle(lookAtInvitation, async (call) => {
    const { organisation, inviter, invitation, acceptBy } = await find(deps, parts, call);
    const { email, language, expiresAt } = invitation;
    return reply(200, { organisation, inviter, email, language, expiresAt, acceptBy });
  });
}

function acceptRoute(deps: Deps, parts: InvitationParts): Route {
  const throttle = createThrottle(deps.cache);
  const { hasher } = parts;

  return handle(acceptInvitation, async (call) => {
    const found = await find(deps, parts, call);
    const { organisation, person } = found;
    const { email } = found.invitation;
    const { name, password } = call.body;
    if (found.acceptBy === 'sign-in') throw new SignInToAccept({});
    let passwordHash: string | undefined;
    if (person === undefined) {
      demandStrongPassword(password, { organisation, name, email });
      passwordHash = await hasher.hash(password, call.signal);
    } else {
      const attempt = { email, address: call.address, knownDevice: undefined };
      await throttle.begin(attempt);
      const right = await hasher.matches(password, person.passwordHash ?? undefined, call.signal);
      if (!right) throw new WrongCredentials({});
      await throttle.succeeded(attempt);
    }

    const personId = person?.personId ?? newId();
    const now = deps.clock();
    const accepted = await actingAs(found.tenantId, personId, () =>
      deps.database.withoutTenant(
        (tx) => accept(tx, deps, { call, found, personId, passwordHash, now }),
        timeOf(call),
      ),
    );
    if (accepted === undefined) return reply(204, null);
    return reply(201, await issued(parts, accepted, now));
  });
}

interface Accepting {
  readonly call: Call<typeof acceptInvitation>;
  readonly found: Found;
  readonly personId: string;
  /** Of a new account. */
  readonly passwordHash: string | undefined;
  readonly now: Date;
}

interface Started {
  readonly membership: Membership;
  readonly session: StartedSession;
}

/** Account, membership, session and their events in one transaction; without a session for who has a second factor. */
async function accept(
  tx: Transaction,
  deps: Deps,
  { call, found, personId, passwordHash, now }: Accepting,
): Promise<Started | undefined> {
  await tx.enterTenant(found.tenantId);
  await takeUp(tx, deps, { ...found, personId }, async (email) => {
    if (passwordHash === undefined) return;
    const { name, language, timeZone } = call.body;
    const user = { id: personId, name, email, emailVerified: true, language, timeZone };
    const isNew = await insertPerson(tx, { ...user, passwordHash, tenantId: found.tenantId }, now);
    if (!isNew) throw new SignInToAccept({}); // somebody made an account of the address meanwhile
  });
  const membership = await findMembership(tx, personId, now);
  if (membership === undefined) throw new InvitationUnusable({});
  if (membership.hasSecondFactor) return undefined;
  const { userAgent, address } = call;
  const proof = { methods: ['pwd'] as const, authenticatedAt: now };
  const start = { personId, method: 'invitation', ...proof, userAgent, address, now } as const;
  return { membership, session: await startSession(tx, deps.outbox, start) };
}

function acceptSignedInRoute(deps: Deps, parts: InvitationParts): Route {
  return handle(acceptInvitationSignedIn, async (call) => {
    const { caller } = call;
    if (caller === undefined) throw new Unauthenticated({});
    const found = await find(deps, parts, call);
    const now = deps.clock();
    const { userId: personId } = caller;
    const switching = { caller, organisationId: found.tenantId, method: 'invitation', call, now } as const;
    const switched = await deps.database.withoutTenant(async (tx) => {
      if (!(await hasEmail(tx, personId, found.invitation.email))) throw new InvitationForAnother({});
      return switchTo(tx, deps.outbox, switching, () => takeUp(tx, deps, { ...found, personId }));
    }, timeOf(call));
    return reply(201, await issued(parts, switched, now));
  });
}

/**
 * Uses the invitation up and makes the person a member, in the tenant of the transaction: of several who come with it at
 * once, one. What it gives may have become impossible meanwhile; then it cannot be used either.
 */
async function takeUp(
  tx: Transaction,
  { outbox, clock }: Deps,
  {
    linkId,
    personId,
    invitation: { id },
  }: Pick<Found, 'linkId' | 'invitation'> & { readonly personId: string },
  first: (email: string) => Promise<void> = async () => {},
): Promise<void> {
  await lockOrganisation(tx);
  const now = clock();
  const used = await useLink(tx, linkId, now);
  const invitation = (await lockInvitation(tx, id, now))?.invitation;
  const state = (await findSettings(tx))?.settings.state;
  if (used === undefined || invitation?.state !== 'open' || state !== 'active') {
    throw new InvitationUnusable({});
  }
  const { roles, invitedBy } = invitation;
  // Who has been shut out lets nobody in any more, least of all themselves by another address.
  if ((await inviterName(tx, invitedBy)) === undefined) throw new InvitationUnusable({});
  const validUntil = invitation.validUntil === null ? null : new Date(invitation.validUntil);
  await demandNoConflict(tx, { roles, validUntil, now }).catch((error: unknown) => {
    const impossible = error instanceof RoleUnknown || error instanceof SeparationOfDutiesViolated;
    throw impossible ? new InvitationUnusable({}) : error;
  });
  await first(invitation.email);
  const joined = await join(tx, outbox, { personId, roles, validUntil, grantedBy: invitedBy, now });
  if (!joined) throw new AlreadyMember({});
  await endInvitation(tx, id, { state: 'accepted', by: personId, now });
  await outbox.add(tx, invitationAccepted, id, { invitationId: id, userId: personId });
}

/** Throws `InvitationUnusable`, whatever is wrong with the token or the invitation. */
async function find(
  { database, clock }: Deps,
  { links }: InvitationParts,
  call: Pick<Call, 'signal' | 'deadlineAt'> & { readonly body: { readonly token: string } },
): Promise<Found> {
  const linkId = links.readLink(call.body.token, 'invitation');
  if (linkId === undefined) throw new InvitationUnusable({});
  const now = clock();
  const found = await database.withoutTenant(
    async (tx) => {
      const link = await findLink(tx, linkId, now);
      if (link?.purpose !== 'invitation') return undefined;
      const { tenantId } = link;
      await tx.enterTenant(tenantId);
      const invitation = await findInvitation(tx, link.subjectId, now);
      const settings = (await findSettings(tx))?.settings;
      if (invitation?.state !== 'open' || settings?.state !== 'active') return undefined;
      const inviter = await inviterName(tx, invitation.invitedBy);
      if (inviter === undefined) return undefined;
      const person = await findPersonByEmail(tx, invitation.email);
      const acceptBy = await wayFor(tx, person);
      return { linkId, tenantId, organisation: settings.name, inviter, invitation, person, acceptBy };
    },
    { ...timeOf(call), readOnly: true },
  );
  if (found === undefined) throw new InvitationUnusable({});
  return found;
}

/** Who works nowhere cannot sign in to accept, so their password is asked for beside the invitation. */
async function wayFor(tx: Transaction, person: Person | undefined): Promise<Found['acceptBy']> {
  if (person === undefined) return 'new';
  return (await worksSomewhere(tx, person.personId)) ? 'sign-in' : 'password';
}

async function issued(parts: SessionParts, { membership, session }: Started, now: Date) {
  const answer = await signedIn(parts.keys, membership, session, now);
  parts.metrics.tokens.inc({ type: 'access' });
  parts.metrics.tokens.inc({ type: 'refresh' });
  return answer;
}

function timeOf({ signal, deadlineAt }: Pick<Call, 'signal' | 'deadlineAt'>): TransactionOptions {
  return { signal, deadlineAt };
}
