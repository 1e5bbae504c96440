import type { BuiltInRoleName } from './roles.ts';

/** What built-in roles may do in one service: whole permissions, or a prefix ending in `.*`. */
export type RoleGrants = Readonly<Partial<Record<BuiltInRoleName, readonly string[]>>>;
