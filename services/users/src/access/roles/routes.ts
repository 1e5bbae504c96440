import { builtInRoles, grantsCover, RoleName } from '@marimo/contracts';
import { limits, roles } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import {
  type Deps,
  etagOf,
  handle,
  type Route,
  readPage,
  reply,
  requireFound,
  requireMatch,
} from '@marimo/service-kit';
import { lockOrganisation } from '../../organisations/organisations/index.ts';
import { isStrict, requireHeld, requireSound, withGrants } from '../conflicting-duties/index.ts';
import { rightsChanged } from './rights-changed.ts';
import {
  inOrder,
  permissionGroups,
  type RoleRow,
  requireKnownPermissions,
  toApiRole,
  versionOf,
} from './roles.ts';
import {
  closeGrants,
  countOwnRoles,
  deleteOwnRole,
  getRole,
  insertOwnRole,
  listRoles,
  listSpansOfHolders,
  lockHoldersOf,
  lockOwnRole,
  type OwnRole,
  openGrants,
  updateOwnRole,
} from './store.ts';

const byName = { parts: [RoleName], keyOf: ({ name }: RoleRow) => [name] } as const;

export function roleRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(deps), definingRoute(deps), changingRoute(deps), deletingRoute(deps)];
}

function readingRoutes({ clock }: Deps): Route[] {
  return [
    handle(roles.listPermissions, async () => reply(200, { items: permissionGroups() })),

    handle(roles.list, async (call) => {
      const page = await readPage(call.query, byName, ({ after, limit }) =>
        call.readInTenant((tx) => listRoles(tx, { afterName: after?.[0], limit, now: clock() })),
      );
      return reply(200, { ...page, items: page.items.map(toApiRole) });
    }),

    handle(roles.get, async (call) => {
      const role = await call.readInTenant((tx) => requireRole(tx, call.params.name, clock()));
      return answer(200, role);
    }),
  ];
}

function definingRoute({ clock, outbox }: Deps): Route {
  return handle(roles.define, (call) =>
    call.inTenant(async (tx) => {
      const { name, title } = call.body;
      const role: OwnRole = { name, title, grants: inOrder(call.body.grants) };
      await lockOrganisation(tx);
      const now = clock();
      const present = await getRole(tx, name, now);
      if (present !== undefined) {
        if (present.builtIn || !sameRole(present, role)) throw new roles.RoleNameTaken({ role: name });
        return answer(200, present);
      }
      requireKnownPermissions(role.grants);
      requireHeld(call.caller, role.grants);
      requireSoundByItself(role, role.grants, now);
      const { ownRoles: most } = limits.mostAtATime;
      if ((await countOwnRoles(tx)) >= most) throw new limits.LimitReached({ limited: 'ownRoles', most });
      await insertOwnRole(tx, role, now);
      await outbox.add(tx, roles.defined, name, { role: name, title, grants: [...role.grants] });
      return answer(201, await requireRole(tx, name, now));
    }),
  );
}

function changingRoute({ clock, outbox }: Deps): Route {
  return handle(roles.change, (call) =>
    call.inTenant(async (tx) => {
      const { name } = call.params;
      await lockOrganisation(tx);
      const now = clock();
      const present = await requireOwnRole(tx, name, now);
      requireMatch(call, versionOf(present));
      const title = call.body.title ?? present.title ?? name;
      const grants = inOrder(call.body.grants ?? present.grants);
      const role: OwnRole = { name, title, grants };
      if (sameRole(present, role)) return answer(200, present);

      requireKnownPermissions(grants);
      const added = grants.filter((grant) => !grantsCover(present.grants, grant));
      requireHeld(call.caller, added);
      requireSoundByItself(role, added, now);
      await updateOwnRole(tx, name, title);
      if (!sameGrants(present.grants, grants)) await changeGrants(tx, role, added, now);
      const changed = await requireRole(tx, name, now);
      await outbox.add(tx, roles.changed, name, { role: name, title, grants, holders: changed.holders });
      return answer(200, changed);
    }),
  );
}

/** For all who hold it, from now on; the grants before stay as history. */
async function changeGrants(
  tx: TenantTransaction,
  role: OwnRole,
  added: readonly string[],
  now: Date,
): Promise<void> {
  const holders = await lockHoldersOf(tx, role.name, now);
  await closeGrants(tx, role.name, now);
  await openGrants(tx, role.name, role.grants, now);
  const strict = await isStrict(tx);
  const spans = await listSpansOfHolders(tx, holders, now);
  const granted = await withGrants(tx, spans);
  const byHolder = Map.groupBy(granted, (_, index) => spans[index]?.holderId ?? '');
  const given = { roles: [role.name], grants: added };
  for (const [holderId, held] of byHolder) {
    requireSound(held, { given, holderId, from: now, until: null, strict });
  }
  await rightsChanged(tx, holders, now);
}

function deletingRoute({ clock, outbox }: Deps): Route {
  return handle(roles.remove, (call) =>
    call.inTenant(async (tx) => {
      const { name } = call.params;
      await lockOrganisation(tx);
      const now = clock();
      if ((await lockOwnRole(tx, name))?.deleted) return reply(204, null);
      const present = await requireOwnRole(tx, name, now);
      requireMatch(call, versionOf(present));
      const { holders, grants, title } = present;
      if (holders > 0) throw new roles.RoleInUse({ role: name, holders });
      await deleteOwnRole(tx, name, now);
      await outbox.add(tx, roles.removed, name, { role: name, title: title ?? name, grants: [...grants] });
      return reply(204, null);
    }),
  );
}

/** Throws where the role would hold both sides of a pair, whoever had it. */
function requireSoundByItself({ name, grants }: OwnRole, added: readonly string[], now: Date): void {
  const span = { role: name, builtIn: false, grants, from: now, until: null };
  const given = { roles: [name], grants: added };
  requireSound([span], { given, holderId: null, from: now, until: null, strict: true });
}

async function requireOwnRole(tx: Transaction, name: string, now: Date): Promise<RoleRow> {
  if (Object.hasOwn(builtInRoles, name)) throw new roles.RoleIsBuiltIn({ role: name });
  await lockOwnRole(tx, name);
  return requireRole(tx, name, now);
}

async function requireRole(tx: Transaction, name: string, now: Date): Promise<RoleRow> {
  return requireFound(await getRole(tx, name, now), 'role');
}

function sameRole(present: RoleRow, { title, grants }: OwnRole): boolean {
  return present.title === title && sameGrants(present.grants, grants);
}

function sameGrants(one: readonly string[], other: readonly string[]): boolean {
  return one.join() === other.join();
}

function answer<const S extends number>(status: S, role: RoleRow) {
  return reply(status, toApiRole(role), { etag: etagOf(versionOf(role)) });
}
