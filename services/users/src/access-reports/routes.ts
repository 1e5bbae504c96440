import { Absent, grantsCover, Id } from '@marimo/contracts';
import { accessReports, roles } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { isStrict } from '../separation-of-duties/index.ts';
import {
  builtInRolesGranting,
  conflictsHeld,
  heldRoles,
  isKnown,
  permissionsOf,
  toApiDuties,
} from './access-reports.ts';
import { findHolder, holdersAt, ownGrantsAt, rolesAssignedAt, wasActive } from './store.ts';

/** Holders looked at in one statement; most have no conflict. */
const batch = 500;

export function accessReportRoutes(deps: Deps): readonly Route[] {
  return [
    handle(accessReports.listConflictingDuties, async () => reply(200, { items: toApiDuties() })),
    conflictsRoute(deps),
    whoCanRoute(deps),
    accessOfRoute(deps),
  ];
}

function conflictsRoute({ clock }: Deps): Route {
  return handle(accessReports.reportConflicts, async (call) => {
    const { limit, after } = call.query;
    const [afterId] = readCursor(after, Id) ?? [];
    const found = await call.readInTenant((tx) => holdersInConflict(tx, clock(), afterId, limit + 1));
    return reply(200, pageOfHolders(found, limit));
  });
}

/** In batches, until there are enough: only their roles tell who has a conflict. */
async function holdersInConflict(tx: Transaction, at: Date, after: string | undefined, wanted: number) {
  const own = await ownGrantsAt(tx, at);
  const strict = await isStrict(tx);
  const found: { holder: accessReports.RoleHolder; conflicts: ReturnType<typeof conflictsHeld> }[] = [];
  for (let afterId = after; ; ) {
    const holders = await holdersAt(tx, { at, afterId, limit: batch });
    for (const { holder, roles } of holders) {
      const conflicts = conflictsHeld(heldRoles(roles, own), strict);
      if (conflicts.length > 0) found.push({ holder, conflicts });
    }
    if (holders.length < batch || found.length >= wanted) return found.slice(0, wanted);
    afterId = holders.at(-1)?.holder.id;
  }
}

function whoCanRoute({ clock }: Deps): Route {
  return handle(accessReports.reportWhoCan, async (call) => {
    const { permission, limit, after } = call.query;
    if (!isKnown(permission)) throw new roles.PermissionUnknown({ grants: [permission] });
    const at = call.query.at === undefined ? clock() : new Date(call.query.at);
    const [afterId] = readCursor(after, Id) ?? [];
    const found = await call.readInTenant(async (tx) => {
      const own = [...(await ownGrantsAt(tx, at))].filter(([, grants]) => grantsCover(grants, permission));
      const roles = [...builtInRolesGranting(permission), ...own.map(([name]) => name)];
      return holdersAt(tx, { at, roles, afterId, limit: limit + 1 });
    });
    const items = found.map(({ holder, roles }) => ({ holder, through: [...roles] }));
    return reply(200, pageOfHolders(items, limit));
  });
}

function accessOfRoute({ clock }: Deps): Route {
  return handle(accessReports.reportAccessOf, async (call) => {
    const { holderId } = call.params;
    const at = call.query.at === undefined ? clock() : new Date(call.query.at);
    return call.readInTenant(async (tx) => {
      const holder = await findHolder(tx, holderId);
      if (holder === undefined) throw new Absent({ resource: 'member or service account' });
      const active = await wasActive(tx, holderId, at);
      const names = active ? await rolesAssignedAt(tx, holderId, at) : [];
      const roles = heldRoles(names, await ownGrantsAt(tx, at));
      return reply(200, {
        holder,
        at: at.toISOString(),
        active,
        roles: roles.map(({ role, builtIn, grants }) => ({ role, builtIn, grants: [...grants] })),
        permissions: permissionsOf(roles),
      });
    });
  });
}

function pageOfHolders<Item extends { readonly holder: accessReports.RoleHolder }>(
  found: readonly Item[],
  limit: number,
) {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? cursorOf(items.at(-1)?.holder.id ?? '') : null };
}
