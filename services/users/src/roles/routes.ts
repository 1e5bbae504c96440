import { Absent, builtInRoles, grantsCover, RoleName } from '@marimo/contracts';
import { limits, roles } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import {
  cursorOf,
  type Deps,
  demandMatch,
  etagOf,
  handle,
  type Route,
  readCursor,
  reply,
} from '@marimo/service-kit';
import { lockOrganisation } from '../organisations/index.ts';
import { demandHeld, demandSound, isStrict, withGrants } from '../separation-of-duties/index.ts';
import { rightsChanged } from './rights-changed.ts';
import { demandKnown, inOrder, permissionGroups, type RoleRow, shown, versionOf } from './roles.ts';
import {
  closeGrants,
  countOwnRoles,
  deleteOwnRole,
  findRole,
  findRoles,
  insertOwnRole,
  lockHoldersOf,
  lockOwnRole,
  type OwnRole,
  openGrants,
  spansOfHolders,
  updateOwnRole,
} from './store.ts';

export function roleRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(deps), definingRoute(deps), changingRoute(deps), deletingRoute(deps)];
}

function readingRoutes({ clock }: Deps): Route[] {
  return [
    handle(roles.listPermissions, async () => reply(200, { items: permissionGroups() })),

    handle(roles.list, async (call) => {
      const { limit, after } = call.query;
      const [afterName] = readCursor(after, RoleName) ?? [];
      const found = await call.readInTenant((tx) =>
        findRoles(tx, { afterName, limit: limit + 1, now: clock() }),
      );
      const items = found.slice(0, limit).map(shown);
      return reply(200, { items, next: found.length > limit ? cursorOf(items.at(-1)?.name ?? '') : null });
    }),

    handle(roles.get, async (call) => {
      const role = await call.readInTenant((tx) => demandRole(tx, call.params.name, clock()));
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
      const present = await findRole(tx, name, now);
      if (present !== undefined) {
        if (present.builtIn || !sameRole(present, role)) throw new roles.RoleNameTaken({ role: name });
        return answer(200, present);
      }
      demandKnown(role.grants);
      demandHeld(call.caller, role.grants);
      demandSoundByItself(role, role.grants, now);
      const { ownRoles: most } = limits.mostAtATime;
      if ((await countOwnRoles(tx)) >= most) throw new limits.LimitReached({ limited: 'ownRoles', most });
      await insertOwnRole(tx, role, now);
      await outbox.add(tx, roles.defined, name, { role: name, title, grants: [...role.grants] });
      return answer(201, await demandRole(tx, name, now));
    }),
  );
}

function changingRoute({ clock, outbox }: Deps): Route {
  return handle(roles.change, (call) =>
    call.inTenant(async (tx) => {
      const { name } = call.params;
      await lockOrganisation(tx);
      const now = clock();
      const present = await demandOwnRole(tx, name, now);
      demandMatch(call, versionOf(present));
      const title = call.body.title ?? present.title ?? name;
      const grants = inOrder(call.body.grants ?? present.grants);
      const role: OwnRole = { name, title, grants };
      if (sameRole(present, role)) return answer(200, present);

      demandKnown(grants);
      const added = grants.filter((grant) => !grantsCover(present.grants, grant));
      demandHeld(call.caller, added);
      demandSoundByItself(role, added, now);
      await updateOwnRole(tx, name, title);
      if (!sameGrants(present.grants, grants)) await changeGrants(tx, role, added, now);
      const changed = await demandRole(tx, name, now);
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
  const spans = await spansOfHolders(tx, holders, now);
  const granted = await withGrants(tx, spans);
  const byHolder = Map.groupBy(granted, (_, index) => spans[index]?.holderId ?? '');
  const given = { roles: [role.name], grants: added };
  for (const [holderId, held] of byHolder) {
    demandSound(held, { given, holderId, from: now, until: null, strict });
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
      const present = await demandOwnRole(tx, name, now);
      demandMatch(call, versionOf(present));
      const { holders, grants, title } = present;
      if (holders > 0) throw new roles.RoleInUse({ role: name, holders });
      await deleteOwnRole(tx, name, now);
      await outbox.add(tx, roles.removed, name, { role: name, title: title ?? name, grants: [...grants] });
      return reply(204, null);
    }),
  );
}

/** Throws where the role would hold both sides of a pair, whoever had it. */
function demandSoundByItself({ name, grants }: OwnRole, added: readonly string[], now: Date): void {
  const span = { role: name, builtIn: false, grants, from: now, until: null };
  const given = { roles: [name], grants: added };
  demandSound([span], { given, holderId: null, from: now, until: null, strict: true });
}

async function demandOwnRole(tx: Transaction, name: string, now: Date): Promise<RoleRow> {
  if (Object.hasOwn(builtInRoles, name)) throw new roles.RoleIsBuiltIn({ role: name });
  await lockOwnRole(tx, name);
  return demandRole(tx, name, now);
}

async function demandRole(tx: Transaction, name: string, now: Date): Promise<RoleRow> {
  const role = await findRole(tx, name, now);
  if (role === undefined) throw new Absent({ resource: 'role' });
  return role;
}

function sameRole(present: RoleRow, { title, grants }: OwnRole): boolean {
  return present.title === title && sameGrants(present.grants, grants);
}

function sameGrants(one: readonly string[], other: readonly string[]): boolean {
  return one.join() === other.join();
}

function answer<const S extends number>(status: S, role: RoleRow) {
  return reply(status, shown(role), { etag: etagOf(versionOf(role)) });
}
