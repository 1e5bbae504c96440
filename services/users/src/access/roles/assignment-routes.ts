import { Absent, Id, Instant } from '@marimo/contracts';
import { roleAssignments, roles } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { lockOrganisation, requireAnotherAdministrator } from '../../organisations/organisations/index.ts';
import {
  type HolderRef,
  holderIdOf,
  lockHolder,
  requireMayGive,
  requireMayTake,
  requireNoConflict,
} from '../conflicting-duties/index.ts';
import {
  getOverlapping,
  insertAssignment,
  isActive,
  listAssignments,
  lockAssignment,
  updateRevoked,
  updateValidUntil,
} from './assignment-store.ts';
import { isRepetition, isSameMoment } from './assignments.ts';
import { rightsChanged } from './rights-changed.ts';
import type { Holders } from './store.ts';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ grantedAt, assignmentId }: roleAssignments.RoleAssignment) => [grantedAt, assignmentId],
} as const;

export function assignmentRoutes(deps: Deps): readonly Route[] {
  return [listingRoute(deps), assigningRoute(deps), revokingRoute(deps)];
}

function listingRoute({ clock }: Deps): Route {
  return handle(roleAssignments.list, async (call) => {
    const page = await readPage(call.query, newestFirst, (slice) =>
      call.readInTenant((tx) => listAssignments(tx, { ...call.query, ...slice }, clock())),
    );
    return reply(200, page);
  });
}

function assigningRoute({ clock, outbox }: Deps): Route {
  return handle(roleAssignments.assign, (call) =>
    call.inTenant(async (tx) => {
      const { body, caller } = call;
      const { assignmentId, role } = body;
      // The time is taken behind the lock: no token made meanwhile is younger than what voids it.
      await lockOrganisation(tx);
      const now = clock();
      const present = await lockAssignment(tx, assignmentId, now);
      if (present !== undefined) {
        if (!isRepetition(present, body)) throw new roles.RoleAssignmentConflict({ assignmentId });
        return reply(200, present);
      }

      const holder = holderOf(body);
      const from = body.validFrom ?? now;
      const until = body.validUntil ?? null;
      if (until !== null && until <= now) throw new roles.ValidityOver({ validUntil: until.toISOString() });
      await requireActive(tx, holder);
      await requireMayGive(tx, caller, [role]);
      const other = await getOverlapping(tx, { holder, role, from, until }, now);
      if (other !== undefined) throw new roles.RoleAlreadyAssigned({ role, assignmentId: other });
      await requireNoConflict(tx, { holder, roles: [role], validFrom: from, validUntil: until, now });

      const grantedBy = caller.userId;
      await insertAssignment(tx, { assignmentId, holder, role, from, until, grantedBy }, now);
      const assignment = requireFound(await lockAssignment(tx, assignmentId, now), 'role assignment');
      await rightsChanged(tx, holdersOf(assignment), now);
      await outbox.add(tx, roleAssignments.assigned, assignmentId, factOf(assignment));
      return reply(201, assignment);
    }),
  );
}

function revokingRoute({ clock, outbox }: Deps): Route {
  return handle(roleAssignments.revoke, (call) =>
    call.inTenant(async (tx) => {
      const { assignmentId } = call.params;
      await lockOrganisation(tx);
      const now = clock();
      const present = requireFound(await lockAssignment(tx, assignmentId, now), 'role assignment');
      const until = call.body.validUntil;
      const isSo = until !== undefined && isSameMoment(present.validUntil, until);
      if (present.state === 'revoked' || isSo) return reply(200, present);
      if (present.state === 'over') throw new roles.RoleAssignmentOver({ assignmentId });
      if (until !== undefined) requireShorter(present, until, now);
      await requireMayTake(tx, call.caller, [present.role]);
      if (present.role === 'admin' && present.memberId !== null) {
        await requireAnotherAdministrator(tx, present.memberId, now);
      }

      if (until === undefined) await updateRevoked(tx, assignmentId, call.caller.userId, now);
      else await updateValidUntil(tx, assignmentId, until);
      const assignment = requireFound(await lockAssignment(tx, assignmentId, now), 'role assignment');
      await rightsChanged(tx, holdersOf(assignment), now);
      const what = until === undefined ? roleAssignments.revoked : roleAssignments.shortened;
      await outbox.add(tx, what, assignmentId, factOf(assignment));
      return reply(200, assignment);
    }),
  );
}

function requireShorter(
  { validFrom, validUntil }: roleAssignments.RoleAssignment,
  until: Date,
  now: Date,
): void {
  const tooLate = validUntil !== null && until > validUntil;
  if (until <= now || until <= validFrom || tooLate) {
    throw new roles.ValidityOver({ validUntil: until.toISOString() });
  }
}

async function requireActive(tx: TenantTransaction, holder: HolderRef): Promise<void> {
  await lockHolder(tx, holder);
  const active = await isActive(tx, holder);
  if (active === undefined) {
    throw new Absent({ resource: 'personId' in holder ? 'member' : 'service account' });
  }
  if (!active) throw new roles.HolderNotActive({ holderId: holderIdOf(holder) });
}

/** The contract lets exactly one of the two through. */
function holderOf({ memberId, serviceAccountId }: roleAssignments.NewRoleAssignment): HolderRef {
  return memberId === undefined ? { accountId: serviceAccountId ?? '' } : { personId: memberId };
}

function holdersOf({ memberId, serviceAccountId }: roleAssignments.RoleAssignment): Holders {
  return {
    personIds: memberId === null ? [] : [memberId],
    accountIds: serviceAccountId === null ? [] : [serviceAccountId],
  };
}

function factOf(assignment: roleAssignments.RoleAssignment) {
  const { assignmentId, memberId, serviceAccountId, role, validFrom, validUntil } = assignment;
  return { assignmentId, memberId, serviceAccountId, role, validFrom, validUntil };
}
