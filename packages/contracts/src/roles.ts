import { z } from 'zod';
import { grants as ofAccounting } from './accounting/role-grants.ts';
import type { Text } from './permission.ts';
import type { RoleGrants } from './role-grants.ts';
import { grants as ofUsers } from './users/role-grants.ts';
import { grants as ofWorkers } from './workers/role-grants.ts';

/** The roles every organisation starts with; it may add its own. What they may do is declared by each service. */
export const builtInRoles = {
  admin: { en: 'Administrator', ru: 'Администратор' },
  manager: { en: 'Manager', ru: 'Руководитель' },
  accountant: { en: 'Accountant', ru: 'Бухгалтер' },
  storekeeper: { en: 'Storekeeper', ru: 'Кладовщик' },
  buyer: { en: 'Buyer', ru: 'Закупщик' },
  seller: { en: 'Seller', ru: 'Продавец' },
  cashier: { en: 'Cashier', ru: 'Кассир' },
  shop_manager: { en: 'Shop manager', ru: 'Управляющий магазином' },
  foreman: { en: 'Foreman', ru: 'Мастер участка' },
  production_manager: { en: 'Production manager', ru: 'Начальник производства' },
  agent: { en: 'Support agent', ru: 'Оператор поддержки' },
  user: { en: 'User', ru: 'Сотрудник' },
} as const satisfies Record<string, Text>;

export type BuiltInRoleName = keyof typeof builtInRoles;
/** Of a built-in role, or of one of the organisation's own. */
export const RoleName = z.string().regex(/^[a-z][a-z_]{1,39}$/);

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
