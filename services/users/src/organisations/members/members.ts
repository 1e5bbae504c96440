import { members } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { endKeysOf, voidKeyTokensOf } from '../../access/service-accounts/index.ts';
import { endSessionsOf } from '../../identity/sessions/index.ts';
import { insertMember, insertRoles, requireAnotherAdministrator } from '../organisations/index.ts';
import {
  getMember,
  insertPeriod,
  updateLastTenant,
  updateMembershipState,
  updatePeriodEnd,
  updateRolesRevoked,
  updateState,
} from './store.ts';

/**
 * Shuts out an active member: nothing they hold works from now on, all of it comes back with them but their sessions.
 * The organisation is locked by who calls.
 *
 * Errors: LastAdministrator.
 */
export async function shutOut(
  tx: TenantTransaction,
  outbox: Outbox,
  member: members.Member,
  now: Date,
): Promise<void> {
  const personId = member.id;
  await requireAnotherAdministrator(tx, personId, now);
  await updateState(tx, personId, 'suspended');
  await updatePeriodEnd(tx, personId, now);
  await updateMembershipState(tx, personId, 'suspended');
  await updateLastTenant(tx, personId);
  await endSessionsOf(tx, outbox, { personId, reason: 'membership', now });
  await voidKeyTokensOf(tx, { personId }, now);
}

export async function letIn(tx: Transaction, personId: string, now: Date): Promise<void> {
  await updateState(tx, personId, 'active');
  await insertPeriod(tx, personId, now);
  await updateMembershipState(tx, personId, 'active');
  await updateLastTenant(tx, personId);
}

/**
 * Ends a membership with all that hangs on it: roles, sessions, personal API keys. What the member did stays.
 *
 * Errors: LastAdministrator.
 */
export async function endMembership(
  tx: TenantTransaction,
  outbox: Outbox,
  member: members.Member,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<void> {
  const personId = member.id;
  await requireAnotherAdministrator(tx, personId, now);
  await updateState(tx, personId, 'left');
  await updatePeriodEnd(tx, personId, now);
  await updateRolesRevoked(tx, personId, { by, now });
  await updateMembershipState(tx, personId, undefined);
  await updateLastTenant(tx, personId);
  await endSessionsOf(tx, outbox, { personId, reason: 'membership', now });
  await endKeysOf(tx, outbox, { personId }, now);
}

export interface Joining {
  readonly personId: string;
  readonly roles: readonly string[];
  /** When the roles end; null for never. */
  readonly validUntil: Date | null;
  /** Who invited; null where a sign-in provider vouches. */
  readonly grantedBy: string | null;
  readonly now: Date;
}

/** Makes a person a member, for the first time or again; false for who is one, also a suspended one. */
export async function join(tx: Transaction, outbox: Outbox, joining: Joining): Promise<boolean> {
  const { personId, roles, now } = joining;
  const known = await getMember(tx, personId, now);
  if (known !== undefined && known.state !== 'left') return false;
  if (known === undefined) {
    await insertMember(tx, personId, joining, now);
    await updateLastTenant(tx, personId);
  } else {
    await letIn(tx, personId, now);
    await insertRoles(tx, personId, joining, now);
  }
  await outbox.add(tx, members.joined, personId, { userId: personId, roles: [...roles] });
  return true;
}
