import { invitations } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import type { Call, Deps } from '@marimo/service-kit';
import type { z } from 'zod';
import { getLink, type LinkTokens } from '../../identity/mail-links/index.ts';
import { getPersonByEmail, type Person } from '../../identity/people/index.ts';
import { listMemberships } from '../memberships/index.ts';
import { getSettings } from '../organisations/index.ts';
import { authorisedInviter } from './authorised-inviter.ts';
import { getInvitation } from './store.ts';

/** An invitation that can be accepted now, and where. */
export interface OpenInvitation {
  readonly linkId: string;
  readonly tenantId: string;
  readonly organisation: string;
  readonly inviter: string;
  readonly invitation: invitations.Invitation;
  readonly person: Person | undefined;
  readonly acceptBy: z.infer<typeof invitations.AcceptBy>;
}

/** Throws `InvitationUnusable`, whatever is wrong with the token or the invitation. */
export async function requireOpenInvitation(
  { clock }: Deps,
  links: LinkTokens,
  call: Pick<Call, 'withoutTenant'> & { readonly body: { readonly token: string } },
): Promise<OpenInvitation> {
  const linkId = links.readLink(call.body.token, 'invitation');
  if (linkId === undefined) throw new invitations.InvitationUnusable({});
  const now = clock();
  const found = await call.withoutTenant(async (tx) => {
    const link = await getLink(tx, linkId, now);
    if (link?.purpose !== 'invitation') return undefined;
    const { tenantId } = link;
    const there = await tx.enterTenant(tenantId);
    const invitation = await getInvitation(there, link.subjectId, now);
    const settings = (await getSettings(tx))?.settings;
    if (invitation?.state !== 'open' || settings?.state !== 'active') return undefined;
    const inviter = await authorisedInviter(there, invitation, now);
    if (inviter === undefined) return undefined;
    const person = await getPersonByEmail(tx, invitation.email);
    const acceptBy = await wayFor(tx, person);
    // Each statement sees what was committed before it: the person may be there because they have just accepted.
    const isOpen = (await getInvitation(there, link.subjectId, now))?.state === 'open';
    if (!isOpen) return undefined;
    return { linkId, tenantId, organisation: settings.name, inviter, invitation, person, acceptBy };
  });
  if (found === undefined) throw new invitations.InvitationUnusable({});
  return found;
}

/**
 * Who works nowhere cannot sign in to accept, so their password is asked for beside the invitation. Who has none gets one,
 * but only if they belong nowhere: else the mailbox alone would open what a provider guards.
 */
async function wayFor(tx: Transaction, person: Person | undefined): Promise<OpenInvitation['acceptBy']> {
  if (person === undefined) return 'new';
  const places = await listMemberships(tx, person.personId);
  if (places.some(({ state }) => state === 'active')) return 'sign-in';
  if (person.passwordHash !== null) return 'password';
  return places.length === 0 ? 'first-password' : 'sign-in';
}
