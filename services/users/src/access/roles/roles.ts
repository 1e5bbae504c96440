import { type BuiltInRoleName, builtInGrants, builtInRoles, grantsCover } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import { roles } from '@marimo/contracts/users';

export interface RoleRow {
  readonly name: string;
  readonly builtIn: boolean;
  /** Null for a built-in one. */
  readonly title: string | null;
  readonly grants: readonly string[];
  readonly version: number;
  readonly holders: number;
}

export function toApiRole({ name, builtIn, title, grants, holders }: RoleRow): roles.Role {
  if (builtIn) {
    const title = builtInRoles[name as BuiltInRoleName];
    return { name, title, builtIn, grants: [...builtInGrants(name)].sort(), holders };
  }
  return { name, title: { en: title ?? name, ru: title ?? name }, builtIn, grants: [...grants], holders };
}

/** Who changes a role has seen whom it concerns: with more holders or fewer it is another state. */
export function versionOf({ version, holders }: RoleRow): string {
  return `${version}-${holders}`;
}

/** Each once and in order, so that the same grants are the same text. */
export function inOrder(grants: readonly string[]): string[] {
  return [...new Set(grants)].sort();
}

/** Throws `PermissionUnknown` for what is most likely misspelt: it would grant nothing. */
export function requireKnownPermissions(grants: readonly string[]): void {
  const unknown = grants.filter((grant) => !permissions.some(({ name }) => grantsCover([grant], name)));
  if (unknown.length > 0) throw new roles.PermissionUnknown({ grants: unknown });
}

/** All there are, by service and name. */
export function permissionGroups() {
  const byService = Map.groupBy(permissions, ({ name }) => name.split('.', 1)[0] ?? '');
  return [...byService].sort(byKey).map(([service, group]) => ({
    service,
    permissions: group.map(({ name, text }) => ({ name, text })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
