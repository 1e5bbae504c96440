import { Forbidden, Id, Instant, newId } from '@marimo/contracts';
import { invitations, limits, roles } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import {
  type Deps,
  handle,
  type Route,
  readPage,
  reply,
  requireFound,
  type SignedInCall,
} from '@marimo/service-kit';
import { requireMayGive, requireNoConflict } from '../../access/conflicting-duties/index.ts';
import { deleteLink, insertLink } from '../../identity/mail-links/index.ts';
import { getSettings, lockOrganisation } from '../organisations/index.ts';
import { betweenMailsMs, countedForMs, expiryOf, mailsADay } from './invitations.ts';
import {
  countMailsSince,
  countOpen,
  endInvitation,
  getInvitation,
  getLastMailTo,
  getMemberState,
  insertInvitation,
  listInvitations,
  lockInvitation,
  lockOpenInvitation,
  updateMailed,
} from './store.ts';

const assigning = 'users.role.assign';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ invitedAt, id }: invitations.Invitation) => [invitedAt, id],
} as const;

export function invitingRoutes(deps: Deps): readonly Route[] {
  return [inviteRoute(deps), listRoute(deps), revokeRoute(deps), resendRoute(deps)];
}

function inviteRoute(deps: Deps): Route {
  return handle(invitations.invite, (call) =>
    call.inTenant(async (tx) => {
      const { email, language } = call.body;
      const roles = [...new Set(call.body.roles)];
      await lockOrganisation(tx);
      const now = deps.clock();
      const validUntil = call.body.validUntil ?? null;
      await requireGivable(tx, call, { roles, validUntil, now });
      const state = await getMemberState(tx, email);
      if (state === 'active' || state === 'suspended') throw new invitations.AlreadyMember({});
      const by = call.caller.userId;
      const open = await lockOpenInvitation(tx, email);
      await requireQuiet(tx, email, now);
      if (open !== undefined) {
        await endInvitation(tx, open, { state: 'replaced', by, now });
        await deleteLink(tx, 'invitation', open);
      }

      const id = newId();
      await requireRoom(tx, id, now);
      const mail = {
        id,
        email,
        language: language ?? (await getSettings(tx))?.settings.language ?? 'en',
        expiresAt: expiryOf(now, validUntil),
      };
      const linkId = await linkFor(tx, mail, now);
      await insertInvitation(tx, { ...mail, linkId, roles, validUntil, invitedBy: by }, now);
      return reply(201, await announce(tx, deps, { id, linkId }, now));
    }),
  );
}

function listRoute({ clock }: Deps): Route {
  return handle(invitations.list, async (call) => {
    const page = await readPage(call.query, newestFirst, (slice) =>
      call.readInTenant((tx) => listInvitations(tx, { state: call.query.state, ...slice }, clock())),
    );
    return reply(200, page);
  });
}

function revokeRoute({ outbox, clock }: Deps): Route {
  return handle(invitations.revoke, (call) =>
    call.inTenant(async (tx) => {
      const { invitationId } = call.params;
      const now = clock();
      const invitation = requireFound(await lockInvitation(tx, invitationId, now), 'invitation');
      const { state } = invitation;
      if (state === 'revoked') return reply(200, invitation);
      if (state !== 'open' && state !== 'expired') throw new invitations.InvitationNotOpen({ state });
      await endInvitation(tx, invitationId, { state: 'revoked', by: call.caller.userId, now });
      await deleteLink(tx, 'invitation', invitationId);
      await outbox.add(tx, invitations.revoked, invitationId, { invitationId });
      return reply(200, { ...invitation, state: 'revoked' as const });
    }),
  );
}

function resendRoute(deps: Deps): Route {
  return handle(invitations.resend, (call) =>
    call.inTenant(async (tx) => {
      const { invitationId: id } = call.params;
      await lockOrganisation(tx);
      const now = deps.clock();
      const invitation = requireFound(await lockInvitation(tx, id, now), 'invitation');
      const { state, roles } = invitation;
      if (state !== 'open' && state !== 'expired') throw new invitations.InvitationNotOpen({ state });
      const { validUntil } = invitation;
      // Whoever sends it again answers for what it gives: from now on it is their invitation.
      await requireGivable(tx, call, { roles, validUntil, now });
      await requireQuiet(tx, invitation.email, now);
      await requireRoom(tx, id, now);
      const expiresAt = expiryOf(now, validUntil);
      const linkId = await linkFor(tx, { ...invitation, expiresAt }, now);
      await updateMailed(tx, id, { linkId, by: call.caller.userId, expiresAt, now });
      return reply(200, await announce(tx, deps, { id, linkId }, now));
    }),
  );
}

interface Gift {
  readonly roles: readonly string[];
  readonly validUntil: Date | null;
  readonly now: Date;
}

/** That the caller may give these roles, and that one hand may hold them. */
async function requireGivable(
  tx: TenantTransaction,
  { caller }: Pick<SignedInCall, 'caller'>,
  { roles: roleNames, validUntil, now }: Gift,
): Promise<void> {
  if (validUntil !== null && validUntil <= now) {
    throw new roles.ValidityOver({ validUntil: validUntil.toISOString() });
  }
  if (roleNames.length === 0) return;
  if (!caller.may(assigning)) throw new Forbidden({ permission: assigning });
  await requireNoConflict(tx, { roles: roleNames, validUntil, now });
  await requireMayGive(tx, caller, roleNames);
}

/** That this invitation is not one too many beside those that are open. In the organisation's lock. */
async function requireRoom(tx: TenantTransaction, invitationId: string, now: Date): Promise<void> {
  const { openInvitations: most } = limits.mostAtATime;
  if ((await countOpen(tx, invitationId, now)) >= most) {
    throw new limits.LimitReached({ limited: 'openInvitations', most });
  }
}

/** That this mail is not one too many, to this address or from this organisation. */
async function requireQuiet(tx: TenantTransaction, email: string, now: Date): Promise<void> {
  const limit = mailsADay;
  const mailedAt = await getLastMailTo(tx, email, new Date(now.getTime() - betweenMailsMs));
  const waitMs = (mailedAt?.getTime() ?? Number.NEGATIVE_INFINITY) + betweenMailsMs - now.getTime();
  if (waitMs > 0)
    throw new invitations.TooManyInvitations({ limit }, { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  const since = new Date(now.getTime() - countedForMs);
  if ((await countMailsSince(tx, since)) >= limit) {
    throw new invitations.TooManyInvitations({ limit }, { retryAfterSeconds: 3_600 });
  }
}

/** The name of an account would tell the inviter's mailbox that there is one; so the address stands for it. */
function linkFor(
  tx: TenantTransaction,
  {
    id,
    email,
    language,
    expiresAt,
  }: Pick<invitations.Invitation, 'id' | 'email' | 'language'> & { readonly expiresAt: Date },
  now: Date,
): Promise<string> {
  const { tenantId } = tx;
  const mail = { email, name: email, language, tenantId, personId: null, expiresAt, now };
  return insertLink(tx, { ...mail, purpose: 'invitation', subjectId: id });
}

/** The invitation as it is now, with the event that has it mailed. */
async function announce(
  tx: TenantTransaction,
  { outbox }: Deps,
  { id, linkId }: { readonly id: string; readonly linkId: string },
  now: Date,
): Promise<invitations.Invitation> {
  const invitation = await getInvitation(tx, id, now);
  if (invitation === undefined) throw new Error('An invitation that was just written is gone');
  const { roles, validUntil, expiresAt } = invitation;
  await outbox.add(tx, invitations.invited, id, { invitationId: id, linkId, roles, validUntil, expiresAt });
  return invitation;
}
