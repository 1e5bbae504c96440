import { Absent, type BuiltInRoleName, builtInRoles } from '@marimo/contracts';
import { me, organisation } from '@marimo/contracts/users';
import { handle, type Route, reply } from '@marimo/service-kit';
import { findMembership, findOrganisation } from './store.ts';

export const organisationRoutes = (): readonly Route[] => [
  handle(me, async (call) => {
    const userId = call.caller?.userId ?? '';
    const membership = await call.readInTenant((tx) => findMembership(tx, userId));
    if (membership === undefined) throw new Absent({ resource: 'member' });
    const { user, organisation, roles } = membership;
    return reply(200, { user, organisation, roles: [...roles], permissions: grantsOf(roles) });
  }),

  handle(organisation, async (call) => {
    const found = await call.readInTenant(findOrganisation);
    if (found === undefined) throw new Absent({ resource: 'organisation' });
    return reply(200, found);
  }),
];

function grantsOf(roles: readonly string[]): string[] {
  const grants = roles.flatMap((role) =>
    Object.hasOwn(builtInRoles, role) ? [...builtInRoles[role as BuiltInRoleName].grants] : [],
  );
  return [...new Set(grants)].sort();
}
