import { Absent, type BuiltInRoleName, builtInRoles } from '@marimo/contracts';
import { me, organisation } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { findMembership, findOrganisation } from './store.ts';

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
    const found = await call.readInTenant(findOrganisation);
    if (found === undefined) throw new Absent({ resource: 'organisation' });
    return reply(200, found);
  }),
];

function builtInGrants(roles: readonly string[]): string[] {
  return roles.flatMap((role) =>
    Object.hasOwn(builtInRoles, role) ? [...builtInRoles[role as BuiltInRoleName].grants] : [],
  );
}
