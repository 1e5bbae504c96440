import { grants as ofAccounting } from './accounting/role-grants.ts';
import { type BuiltInRoleName, builtInRoles, type RoleGrants } from './built-in-roles.ts';
import { grants as ofUsers } from './users/role-grants.ts';
import { grants as ofWorkers } from './workers/role-grants.ts';

/** An administrator may do everything an organisation can do. */
const everything: RoleGrants = { admin: ['*'] };
const granted: ReadonlyMap<string, readonly string[]> = new Map(
  (Object.keys(builtInRoles) as BuiltInRoleName[]).map((role) => [
    role,
    [everything, ofUsers, ofAccounting, ofWorkers].flatMap((grants) => grants[role] ?? []),
  ]),
);

/** What a built-in role grants; nothing for any other name. */
export function builtInGrants(role: string): readonly string[] {
  return granted.get(role) ?? [];
}

/** Whether any of these roles grants the permission; an unknown role grants nothing. */
export function rolesGrant(roles: readonly string[], permission: string): boolean {
  return roles.some((role) => grantsCover(builtInGrants(role), permission));
}

/**
 * Whether a list of grants holds a permission, whole or by prefix; and so whether it holds another grant: `accounting.*`
 * is held by itself and by `*`, never by all the permissions it stands for today.
 */
export function grantsCover(grants: readonly string[], permission: string): boolean {
  return grants.some((grant) => {
    if (grant === '*' || grant === permission) return true;
    return grant.endsWith('.*') && permission.startsWith(grant.slice(0, -1));
  });
}
