import { grantsCover, Id } from '@marimo/contracts';
import { accessReports, roles } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { isStrict } from '../conflicting-duties/index.ts';
import {
  builtInRolesGranting,
  conflictsHeld,
  heldRoles,
  isKnown,
  permissionsOf,
  toApiDuties,
} from './access-reports.ts';
import { getHolder, listHolders, listOwnGrants, listRoles, wasActive } from './store.ts';

/** Holders looked at in one statement; most have no conflict. */
const batch = 500;

const byHolder = {
  parts: [Id],
  keyOf: ({ holder }: { readonly holder: accessReports.RoleHolder }) => [holder.id],
} as const;

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
    const page = await readPage(call.query, byHolder, ({ after, limit }) =>
      call.readInTenant((tx) => holdersInConflict(tx, clock(), after?.[0], limit)),
    );
    return reply(200, page);
  });
}

/** In batches, until there are enough: only their roles tell who has a conflict. */
async function holdersInConflict(tx: TenantTransaction, at: Date, after: string | undefined, wanted: number) {
  const own = await listOwnGrants(tx, at);
  const strict = await isStrict(tx);
  const found: { holder: accessReports.RoleHolder; conflicts: ReturnType<typeof conflictsHeld> }[] = [];
  for (let afterId = after; ; ) {
    const holders = await listHolders(tx, { at, afterId, limit: batch });
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
    const { permission } = call.query;
    if (!isKnown(permission)) throw new roles.PermissionUnknown({ grants: [permission] });
    const at = call.query.at ?? clock();
    const page = await readPage(call.query, byHolder, ({ after, limit }) =>
      call.readInTenant(async (tx) => {
        const own = [...(await listOwnGrants(tx, at))].filter(([, grants]) =>
          grantsCover(grants, permission),
        );
        const roles = [...builtInRolesGranting(permission), ...own.map(([name]) => name)];
        const found = await listHolders(tx, { at, roles, afterId: after?.[0], limit });
        return found.map(({ holder, roles: through }) => ({ holder, through: [...through] }));
      }),
    );
    return reply(200, page);
  });
}

function accessOfRoute({ clock }: Deps): Route {
  return handle(accessReports.reportAccessOf, async (call) => {
    const { holderId } = call.params;
    const at = call.query.at ?? clock();
    return call.readInTenant(async (tx) => {
      const holder = requireFound(await getHolder(tx, holderId), 'member or service account');
      const active = await wasActive(tx, holderId, at);
      const names = active ? await listRoles(tx, holderId, at) : [];
      const roles = heldRoles(names, await listOwnGrants(tx, at));
      return reply(200, {
        holder,
        at,
        active,
        roles: roles.map(({ role, builtIn, grants }) => ({ role, builtIn, grants: [...grants] })),
        permissions: permissionsOf(roles),
      });
    });
  });
}
