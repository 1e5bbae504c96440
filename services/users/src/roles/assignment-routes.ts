import { Absent, Id } from '@marimo/contracts';
import { roleAssignments, roles } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { demandAnotherAdministrator, lockOrganisation } from '../organisations/index.ts';
import {
  demandMayGive,
  demandMayTake,
  demandNoConflict,
  type HolderRef,
  holderIdOf,
  lockHolder,
} from '../separation-of-duties/index.ts';
import {
  findAssignments,
  findOverlapping,
  insertAssignment,
  isActive,
  lockAssignment,
  markRevoked,
  shorten,
} from './assignment-store.ts';
import { isRepetition } from './assignments.ts';
import { rightsChanged } from './rights-changed.ts';
import type { Holders } from './store.ts';

export function assignmentRoutes(deps: Deps): readonly Route[] {
  return [listingRoute(deps), assigningRoute(deps), revokingRoute(deps)];
}

function listingRoute({ clock }: Deps): Route {
  return handle(roleAssignments.list, async (call) => {
    const { limit, after, memberId, serviceAccountId, role, state } = call.query;
    const before = readCursor(after, roleAssignments.RoleAssignment.shape.grantedAt, Id);
    const filter = { memberId, serviceAccountId, role, state, before, limit: limit + 1 };
    const found = await call.readInTenant((tx) => findAssignments(tx, filter, clock()));
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last ? cursorOf(last.grantedAt, last.assignmentId) : null;
    return reply(200, { items, next });
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
      const from = body.validFrom === undefined ? now : new Date(body.validFrom);
      const until = body.validUntil === undefined ? null : new Date(body.validUntil);
      if (until !== null && until <= now) throw new roles.ValidityOver({ validUntil: until.toISOString() });
      await demandActive(tx, holder);
      await demandMayGive(tx, caller, [role]);
      const other = await findOverlapping(tx, { holder, role, from, until }, now);
      if (other !== undefined) throw new roles.RoleAlreadyAssigned({ role, assignmentId: other });
      await demandNoConflict(tx, { holder, roles: [role], validFrom: from, validUntil: until, now });

      const grantedBy = caller?.userId ?? null;
      await insertAssignment(tx, { assignmentId, holder, role, from, until, grantedBy }, now);
      const assignment = await demandAssignment(tx, assignmentId, now);
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
      const present = await demandAssignment(tx, assignmentId, now);
      const until = call.body.validUntil === undefined ? undefined : new Date(call.body.validUntil);
      const isSo = until !== undefined && present.validUntil === until.toISOString();
      if (present.state === 'revoked' || isSo) return reply(200, present);
      if (present.state === 'over') throw new roles.RoleAssignmentOver({ assignmentId });
      if (until !== undefined) demandShorter(present, until, now);
      await demandMayTake(tx, call.caller, [present.role]);
      if (present.role === 'admin' && present.memberId !== null) {
        await demandAnotherAdministrator(tx, present.memberId, now);
      }

      if (until === undefined) await markRevoked(tx, assignmentId, call.caller?.userId ?? null, now);
      else await shorten(tx, assignmentId, until);
      const assignment = await demandAssignment(tx, assignmentId, now);
      await rightsChanged(tx, holdersOf(assignment), now);
      const what = until === undefined ? roleAssignments.revoked : roleAssignments.shortened;
      await outbox.add(tx, what, assignmentId, factOf(assignment));
      return reply(200, assignment);
    }),
  );
}

function demandShorter(
  { validFrom, validUntil }: roleAssignments.RoleAssignment,
  until: Date,
  now: Date,
): void {
  const tooLate = validUntil !== null && until > new Date(validUntil);
  if (until <= now || until <= new Date(validFrom) || tooLate) {
    throw new roles.ValidityOver({ validUntil: until.toISOString() });
  }
}

async function demandActive(tx: Transaction, holder: HolderRef): Promise<void> {
  await lockHolder(tx, holder);
  const active = await isActive(tx, holder);
  if (active === undefined) {
    throw new Absent({ resource: 'personId' in holder ? 'member' : 'service account' });
  }
  if (!active) throw new roles.HolderNotActive({ holderId: holderIdOf(holder) });
}

async function demandAssignment(
  tx: Transaction,
  assignmentId: string,
  now: Date,
): Promise<roleAssignments.RoleAssignment> {
  const assignment = await lockAssignment(tx, assignmentId, now);
  if (assignment === undefined) throw new Absent({ resource: 'role assignment' });
  return assignment;
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
