import { newId } from '@marimo/contracts';
import { credentials, invitations, roles } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { requireNoConflict } from '../../access/conflicting-duties/index.ts';
import { type LinkTokens, useLink } from '../../identity/mail-links/index.ts';
import { requireStrongPassword } from '../../identity/passwords/index.ts';
import { insertPerson, lockCredentials } from '../../identity/people/index.ts';
import {
  actingAs,
  passwordProof,
  type SessionParts,
  type StartedSession,
  signedIn,
  startSession,
} from '../../identity/sessions/index.ts';
import { join } from '../members/index.ts';
import { switchTo } from '../memberships/index.ts';
import { getMembership, getSettings, lockOrganisation, type Membership } from '../organisations/index.ts';
import { authorisedInviter } from './authorised-inviter.ts';
import { setFirstPassword } from './first-password.ts';
import { type OpenInvitation, requireOpenInvitation } from './open-invitation.ts';
import { endInvitation, hasEmail, lockInvitation } from './store.ts';

export interface InvitationParts extends SessionParts {
  readonly links: LinkTokens;
}

export function acceptingRoutes(deps: Deps, parts: InvitationParts): readonly Route[] {
  return [lookRoute(deps, parts), acceptRoute(deps, parts), acceptSignedInRoute(deps, parts)];
}

function lookRoute(deps: Deps, parts: InvitationParts): Route {
  return handle(invitations.look, async (call) => {
    const { organisation, inviter, invitation, acceptBy } = await requireOpenInvitation(
      deps,
      parts.links,
      call,
    );
    const { email, language, expiresAt } = invitation;
    return reply(200, { organisation, inviter, email, language, expiresAt, acceptBy });
  });
}

function acceptRoute(deps: Deps, parts: InvitationParts): Route {
  const prove = passwordProof(deps, parts);

  return handle(invitations.accept, async (call) => {
    const found = await requireOpenInvitation(deps, parts.links, call);
    const { organisation, invitation, acceptBy } = found;
    const { email } = invitation;
    const { name, password } = call.body;
    if (acceptBy === 'sign-in') throw new invitations.SignInToAccept({});
    let passwordHash: string | null;
    if (acceptBy === 'password') ({ passwordHash } = await prove({ email, password }, call));
    else {
      requireStrongPassword(password, { organisation, name, email });
      passwordHash = await parts.hasher.hash(password, call.signal);
    }

    const personId = found.person?.personId ?? newId();
    const now = deps.clock();
    const accepted = await actingAs(found.tenantId, personId, () =>
      call.inTenantOf(found.tenantId, (tx) => accept(tx, deps, { call, found, personId, passwordHash, now })),
    );
    if (accepted === undefined) return reply(204, null);
    return reply(201, await issued(parts, accepted, now));
  });
}

interface Accepting {
  readonly call: Call<typeof invitations.accept>;
  readonly found: OpenInvitation;
  readonly personId: string;
  /** The one that was proved, or the new one of who has none. */
  readonly passwordHash: string | null;
  readonly now: Date;
}

interface Started {
  readonly membership: Membership;
  readonly session: StartedSession;
}

/** Account, membership, session and their events in one transaction; without a session for who has a second factor. */
async function accept(tx: TenantTransaction, deps: Deps, accepting: Accepting): Promise<Started | undefined> {
  const { call, found, personId, now } = accepting;
  await takeUp(tx, deps, { ...found, personId, now }, (email) => ownAccount(tx, deps, accepting, email));
  const membership = await getMembership(tx, personId, now);
  if (membership === undefined) throw new invitations.InvitationUnusable({});
  if (membership.hasSecondFactor) return undefined;
  const { userAgent, address } = call;
  const proof = { methods: ['pwd'] as const, authenticatedAt: now };
  const start = { personId, method: 'invitation', ...proof, userAgent, address, now } as const;
  return { membership, session: await startSession(tx, deps.outbox, start) };
}

/** Makes the account, gives it its first password, or makes sure that what was proved of it still holds. */
async function ownAccount(
  tx: TenantTransaction,
  { outbox }: Deps,
  { call, found, personId, passwordHash, now }: Accepting,
  email: string,
): Promise<void> {
  if (found.acceptBy === 'password') {
    const current = await lockCredentials(tx, personId);
    if (current?.passwordHash !== passwordHash) throw new credentials.WrongCredentials({});
    if (!(await hasEmail(tx, personId, email))) throw new invitations.InvitationUnusable({});
    return;
  }
  if (passwordHash === null) throw new Error('Who has no password chooses one');
  if (found.acceptBy === 'first-password') {
    return setFirstPassword(tx, outbox, { personId, email, passwordHash, now });
  }
  const { name, language, timeZone } = call.body;
  const user = { id: personId, name, email, emailVerified: true, language, timeZone };
  const isNew = await insertPerson(tx, { ...user, passwordHash, tenantId: found.tenantId }, now);
  if (!isNew) throw new invitations.SignInToAccept({}); // somebody made an account of the address meanwhile
}

function acceptSignedInRoute(deps: Deps, parts: InvitationParts): Route {
  return handle(invitations.acceptSignedIn, async (call) => {
    const { caller } = call;
    const found = await requireOpenInvitation(deps, parts.links, call);
    const now = deps.clock();
    const { userId: personId } = caller;
    const switching = { caller, organisationId: found.tenantId, method: 'invitation', call, now } as const;
    const switched = await call.withoutTenant(async (tx) => {
      if (!(await hasEmail(tx, personId, found.invitation.email)))
        throw new invitations.InvitationForAnother({});
      return switchTo(tx, deps.outbox, switching, (there) =>
        takeUp(there, deps, { ...found, personId, now }),
      );
    });
    return reply(201, await issued(parts, switched, now));
  });
}

/**
 * Uses the invitation up and makes the person a member, in the tenant of the transaction: of several who come with it at
 * once, one. What it gives may have become impossible meanwhile; then it cannot be used either. `now` is that of the
 * token that follows: roles that began later would not be in it.
 */
async function takeUp(
  tx: TenantTransaction,
  { outbox }: Deps,
  {
    linkId,
    personId,
    invitation: { id },
    now,
  }: Pick<OpenInvitation, 'linkId' | 'invitation'> & { readonly personId: string; readonly now: Date },
  first: (email: string) => Promise<void> = async () => {},
): Promise<void> {
  await lockOrganisation(tx);
  const used = await useLink(tx, linkId, now);
  const invitation = await lockInvitation(tx, id, now);
  const state = (await getSettings(tx))?.settings.state;
  if (used === undefined || invitation?.state !== 'open' || state !== 'active') {
    throw new invitations.InvitationUnusable({});
  }
  const { roles: roleNames, invitedBy } = invitation;
  if ((await authorisedInviter(tx, invitation, now)) === undefined)
    throw new invitations.InvitationUnusable({});
  const { validUntil } = invitation;
  await requireNoConflict(tx, { roles: roleNames, validUntil, now }).catch((error: unknown) => {
    const impossible = [roles.RoleUnknown, roles.SeparationOfDutiesViolated, roles.TooManyRights];
    throw impossible.some((each) => error instanceof each) ? new invitations.InvitationUnusable({}) : error;
  });
  await first(invitation.email);
  const joined = await join(tx, outbox, {
    personId,
    roles: roleNames,
    validUntil,
    grantedBy: invitedBy,
    now,
  });
  if (!joined) throw new invitations.AlreadyMember({});
  await endInvitation(tx, id, { state: 'accepted', by: personId, now });
  await outbox.add(tx, invitations.accepted, id, { invitationId: id, userId: personId });
}

async function issued(parts: SessionParts, { membership, session }: Started, now: Date) {
  const answer = await signedIn(parts.keys, membership, session, now);
  parts.metrics.tokens.inc({ type: 'access' });
  parts.metrics.tokens.inc({ type: 'refresh' });
  return answer;
}
