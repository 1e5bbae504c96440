import { Absent, Forbidden, Id, newId } from '@marimo/contracts';
import { invitations, limits, roles } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Call, cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { issueLink, revokeLink } from '../mail-links/index.ts';
import { findSettings, lockOrganisation } from '../organisations/index.ts';
import { demandMayGive, demandNoConflict } from '../separation-of-duties/index.ts';
import { betweenMailsMs, countedForMs, expiryOf, mailsADay } from './invitations.ts';
import {
  countOpen,
  endInvitation,
  findInvitation,
  insertInvitation,
  invitationsBefore,
  lastMailTo,
  lockInvitation,
  mailsSince,
  noteMail,
  openInvitation,
  stateOfMember,
} from './store.ts';

const assigning = 'users.role.assign';

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
      const validUntil = call.body.validUntil === undefined ? null : new Date(call.body.validUntil);
      await demandGivable(tx, call, { roles, validUntil, now });
      const state = await stateOfMember(tx, email);
      if (state === 'active' || state === 'suspended') throw new invitations.AlreadyMember({});
      const by = call.caller?.userId ?? '';
      const open = await openInvitation(tx, email);
      await demandQuiet(tx, email, now);
      if (open !== undefined) {
        await endInvitation(tx, open, { state: 'replaced', by, now });
        await revokeLink(tx, 'invitation', open);
      }

      const id = newId();
      await demandRoom(tx, id, now);
      const mail = {
        id,
        email,
        language: language ?? (await findSettings(tx))?.settings.language ?? 'en',
        expiresAt: expiryOf(now, validUntil),
      };
      const linkId = await linkFor(tx, mail, now);
      await insertInvitation(tx, { ...mail, linkId, roles, validUntil, invitedBy: by }, now);
      return reply(201, await told(tx, deps, { id, linkId }, now));
    }),
  );
}

function listRoute({ clock }: Deps): Route {
  return handle(invitations.list, async (call) => {
    const { state, limit, after } = call.query;
    const position = readCursor(after, invitations.Invitation.shape.invitedAt, Id);
    const before = position && { invitedAt: position[0], id: position[1] };
    const found = await call.readInTenant((tx) =>
      invitationsBefore(tx, { state, before, limit: limit + 1 }, clock()),
    );
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return reply(200, {
      items,
      next: found.length > limit && last ? cursorOf(last.invitedAt, last.id) : null,
    });
  });
}

function revokeRoute({ outbox, clock }: Deps): Route {
  return handle(invitations.revoke, (call) =>
    call.inTenant(async (tx) => {
      const { invitationId } = call.params;
      const now = clock();
      const invitation = demand(await lockInvitation(tx, invitationId, now));
      const { state } = invitation;
      if (state === 'revoked') return reply(200, invitation);
      if (state !== 'open' && state !== 'expired') throw new invitations.InvitationNotOpen({ state });
      await endInvitation(tx, invitationId, { state: 'revoked', by: call.caller?.userId ?? '', now });
      await revokeLink(tx, 'invitation', invitationId);
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
      const invitation = demand(await lockInvitation(tx, id, now));
      const { state, roles } = invitation;
      if (state !== 'open' && state !== 'expired') throw new invitations.InvitationNotOpen({ state });
      const validUntil = invitation.validUntil === null ? null : new Date(invitation.validUntil);
      // Whoever sends it again answers for what it gives: from now on it is their invitation.
      await demandGivable(tx, call, { roles, validUntil, now });
      await demandQuiet(tx, invitation.email, now);
      await demandRoom(tx, id, now);
      const expiresAt = expiryOf(now, validUntil);
      const linkId = await linkFor(tx, { ...invitation, expiresAt }, now);
      await noteMail(tx, id, { linkId, by: call.caller?.userId ?? '', expiresAt, now });
      return reply(200, await told(tx, deps, { id, linkId }, now));
    }),
  );
}

interface Gift {
  readonly roles: readonly string[];
  readonly validUntil: Date | null;
  readonly now: Date;
}

/** That the caller may give these roles, and that one hand may hold them. */
async function demandGivable(
  tx: Transaction,
  { caller }: Pick<Call, 'caller'>,
  { roles: roleNames, validUntil, now }: Gift,
): Promise<void> {
  if (validUntil !== null && validUntil <= now) {
    throw new roles.ValidityOver({ validUntil: validUntil.toISOString() });
  }
  if (roleNames.length === 0) return;
  if (!caller?.may(assigning)) throw new Forbidden({ permission: assigning });
  await demandNoConflict(tx, { roles: roleNames, validUntil, now });
  await demandMayGive(tx, caller, roleNames);
}

/** That this invitation is not one too many beside those that are open. In the organisation's lock. */
async function demandRoom(tx: Transaction, invitationId: string, now: Date): Promise<void> {
  const { openInvitations: most } = limits.mostAtATime;
  if ((await countOpen(tx, invitationId, now)) >= most) {
    throw new limits.LimitReached({ limited: 'openInvitations', most });
  }
}

/** That this mail is not one too many, to this address or from this organisation. */
async function demandQuiet(tx: Transaction, email: string, now: Date): Promise<void> {
  const limit = mailsADay;
  const mailedAt = await lastMailTo(tx, email, new Date(now.getTime() - betweenMailsMs));
  const waitMs = (mailedAt?.getTime() ?? Number.NEGATIVE_INFINITY) + betweenMailsMs - now.getTime();
  if (waitMs > 0)
    throw new invitations.TooManyInvitations({ limit }, { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  const since = new Date(now.getTime() - countedForMs);
  if ((await mailsSince(tx, since)) >= limit) {
    throw new invitations.TooManyInvitations({ limit }, { retryAfterSeconds: 3_600 });
  }
}

/** The name of an account would tell the inviter's mailbox that there is one; so the address stands for it. */
function linkFor(
  tx: Transaction,
  {
    id,
    email,
    language,
    expiresAt,
  }: Pick<invitations.Invitation, 'id' | 'email' | 'language'> & { readonly expiresAt: Date },
  now: Date,
): Promise<string> {
  const { tenantId } = tx;
  if (tenantId === null) throw new Error('An invitation belongs to an organisation');
  const mail = { email, name: email, language, tenantId, personId: null, expiresAt, now };
  return issueLink(tx, { ...mail, purpose: 'invitation', subjectId: id });
}

/** The invitation as it is now, with the event that has it mailed. */
async function told(
  tx: Transaction,
  { outbox }: Deps,
  { id, linkId }: { readonly id: string; readonly linkId: string },
  now: Date,
): Promise<invitations.Invitation> {
  const invitation = await findInvitation(tx, id, now);
  if (invitation === undefined) throw new Error('An invitation that was just written is gone');
  const { roles, validUntil, expiresAt } = invitation;
  await outbox.add(tx, invitations.invited, id, { invitationId: id, linkId, roles, validUntil, expiresAt });
  return invitation;
}

function demand(invitation: invitations.Invitation | undefined): invitations.Invitation {
  if (invitation === undefined) throw new Absent({ resource: 'invitation' });
  return invitation;
}
