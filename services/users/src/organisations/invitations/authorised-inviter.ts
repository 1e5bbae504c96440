import type { invitations } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { withGrants } from '../../access/conflicting-duties/index.ts';
import { getRights } from '../../access/service-accounts/index.ts';
import { holds } from '../organisations/index.ts';
import { getInviterName } from './store.ts';

/**
 * The name of who invited, a member or a service account, as long as they could send this invitation today; undefined
 * when they could not. Whoever has been shut out lets nobody in any more, least of all themselves by another address; and
 * whoever may do less by now gives no more than that.
 */
export async function authorisedInviter(
  tx: TenantTransaction,
  { invitedBy, roles }: Pick<invitations.Invitation, 'invitedBy' | 'roles'>,
  now: Date,
): Promise<string | undefined> {
  const name = await getInviterName(tx, invitedBy);
  if (name === undefined) return undefined;
  const rights =
    (await getRights(tx, { personId: invitedBy }, now)) ??
    (await getRights(tx, { accountId: invitedBy }, now));
  if (rights === undefined) return undefined;
  const given = await withGrants(
    tx,
    roles.map((role) => ({ role, from: now, until: null })),
  );
  const needed = ['users.member.invite', ...given.flatMap(({ grants }) => ['users.role.assign', ...grants])];
  return needed.every((permission) => holds(rights, permission)) ? name : undefined;
}
