import { builtInRoles, newId } from '@marimo/contracts';
import { organisations, roleAssignments, signInProviders } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import { requireNoConflict } from '../../access/conflicting-duties/index.ts';
import { rightsChanged } from '../../access/roles/index.ts';
import { requireAnotherAdministrator } from '../../organisations/organisations/index.ts';
import {
  type HeldAssignment,
  insertAssignment,
  listOwnRolesAmong,
  listRolesInForce,
  updateRevoked,
} from './identity-store.ts';

export interface Wanted {
  readonly personId: string;
  readonly providerId: string;
  /** All the provider gives them now. */
  readonly roles: readonly string[];
  readonly now: Date;
}

/**
 * Gives what the provider gives now and takes what it gave before and gives no more. What people gave stays; what
 * somebody has already is not given twice. A role the organisation has deleted since is passed over: the mapping names
 * nothing then. The organisation is locked by who calls.
 *
 * Errors: SeparationOfDutiesViolated, TooManyRights.
 */
export async function followProvider(
  tx: TenantTransaction,
  { outbox, log }: Pick<Deps, 'outbox' | 'log'>,
  wanted: Wanted,
): Promise<void> {
  const { personId, providerId, now } = wanted;
  const roles = await existing(tx, wanted.roles);
  if (roles.length < wanted.roles.length) {
    log.warn('a sign-in provider maps to roles that are not there', { providerId });
  }
  const held = await listRolesInForce(tx, personId, now);
  const surplus = held.filter((each) => each.providerId === providerId && !roles.includes(each.role));
  let changed = false;
  for (const assignment of surplus) {
    if (await isLastAdministrator(tx, personId, assignment, held, now)) {
      const kept = { userId: personId, providerId, assignmentId: assignment.assignmentId };
      await outbox.add(tx, signInProviders.lastAdministratorKept, personId, kept);
      continue;
    }
    await updateRevoked(tx, assignment.assignmentId, now);
    await outbox.add(tx, roleAssignments.revoked, assignment.assignmentId, factOf(personId, assignment));
    changed = true;
  }

  const missing = roles.filter((role) => !held.some((each) => each.role === role));
  if (missing.length > 0) await requireNoConflict(tx, { holder: { personId }, roles: missing, now });
  for (const role of missing) {
    const assignmentId = newId();
    await insertAssignment(tx, { assignmentId, personId, role }, providerId, now);
    await outbox.add(
      tx,
      roleAssignments.assigned,
      assignmentId,
      factOf(personId, { assignmentId, role, validFrom: now }),
    );
    changed = true;
  }
  if (changed) await rightsChanged(tx, { personIds: [personId], accountIds: [] }, now);
}

async function existing(tx: TenantTransaction, names: readonly string[]): Promise<string[]> {
  const own = await listOwnRolesAmong(tx, names);
  return names.filter((name) => Object.hasOwn(builtInRoles, name) || own.includes(name));
}

/** Whether taking this away would leave the organisation without anybody to run it. */
async function isLastAdministrator(
  tx: TenantTransaction,
  personId: string,
  { assignmentId, role }: HeldAssignment,
  held: readonly HeldAssignment[],
  now: Date,
): Promise<boolean> {
  if (role !== 'admin') return false;
  const staysOne = held.some(
    (each) => each.role === role && each.assignmentId !== assignmentId && each.endless,
  );
  if (staysOne) return false;
  try {
    await requireAnotherAdministrator(tx, personId, now);
    return false;
  } catch (error) {
    if (error instanceof organisations.LastAdministrator) return true;
    throw error;
  }
}

function factOf(
  memberId: string,
  { assignmentId, role, validFrom }: Pick<HeldAssignment, 'assignmentId' | 'role' | 'validFrom'>,
) {
  return { assignmentId, memberId, serviceAccountId: null, role, validFrom, validUntil: null };
}
