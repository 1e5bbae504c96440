import { Absent, type BuiltInRoleName, builtInRoles } from '@marimo/contracts';
import { me, organisation } from '@marimo/contracts/users';
import { type Deps, etagOf, handle, type Route, reply } from '@marimo/service-kit';
import { findSettings } from './state-store.ts';
import { findMembership } from './store.ts';

export const organisationRoutes = ({ clock }: Deps): readonly Route[] => [
  handle(me, async (call) => {
    const userId = call.caller?.userId ?? '';
    const membership = await call.readInTenant((tx) => findMembership(tx, userId, clock()));
    if (membership === undefined) throw new Absent({ resource: 'member' });
    const { user, organisation, roles, grants } = membership;
    const permissions = [...new Set([...builtInGrants(roles), ...grants])].sort();
    return reply(200, { user, organisation, roles: [...roles], permissions });
  }),

  handle(organisation, async (call) => {
    const found = await call.readInTenant(findSettings);
    if (found === undefined) throw new Absent({ resource: 'organisation' });
    return reply(200, found.settings, { etag: etagOf(found.version) });
  }),
];

function builtInGrants(roles: readonly string[]): string[] {
  return roles.flatMap((role) =>
    Object.hasOwn(builtInRoles, role) ? [...builtInRoles[role as BuiltInRoleName].grants] : [],
  );
}
