import { invitations } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { deleteLink } from '../../identity/mail-links/index.ts';
import { lockCredentials, updateEmailVerified, updatePassword } from '../../identity/people/index.ts';
import { forgetSecondFactors } from '../../identity/second-factors/index.ts';
import { securityNotice } from '../../identity/self-service/index.ts';
import { listMemberships } from '../memberships/index.ts';
import { hasEmail } from './store.ts';

interface First {
  readonly personId: string;
  /** Of the invitation. */
  readonly email: string;
  readonly passwordHash: string;
  readonly now: Date;
}

/**
 * Gives a password to somebody who has none and belongs to no organisation: whoever opens the mail of an invitation has
 * the mailbox, which is all that a new account is made with too, and this account opens nothing else.
 *
 * A provider vouched for whatever was set up so far, so none of it may go along: who runs it could have added a passkey,
 * or asked for another e-mail, and would come in here with it. In the tenant that invited.
 *
 * Errors: SignInToAccept when they got a password or an organisation meanwhile.
 */
export async function setFirstPassword(
  tx: TenantTransaction,
  outbox: Outbox,
  { personId, email, passwordHash, now }: First,
): Promise<void> {
  const person = await lockCredentials(tx, personId);
  const isTheirs = person?.passwordHash === null && (await hasEmail(tx, personId, email));
  // A statement after the lock: who was given an organisation while we waited is seen.
  if (!isTheirs || (await listMemberships(tx, personId)).length > 0) throw new invitations.SignInToAccept({});
  await updatePassword(tx, personId, passwordHash);
  await updateEmailVerified(tx, personId, now);
  await deleteLink(tx, 'verify-email', personId);
  await deleteLink(tx, 'reset-password', personId);
  const factorsRemoved = await forgetSecondFactors(tx, personId);
  const linkId = await securityNotice(tx, person, now);
  await outbox.add(tx, invitations.firstPasswordSet, personId, { userId: personId, linkId, factorsRemoved });
}
