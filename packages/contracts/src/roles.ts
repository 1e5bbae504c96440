import { z } from 'zod';
import type { Text } from './permission.ts';

interface BuiltInRole {
  readonly text: Text;
  /** Whole permissions, or a prefix ending in `.*`; `*` is everything an organisation can do. */
  readonly grants: readonly string[];
}

/** The roles every organisation starts with; it may add its own. */
export const builtInRoles = {
  admin: { text: { en: 'Administrator', ru: 'Администратор' }, grants: ['*'] },
  manager: {
    text: { en: 'Manager', ru: 'Руководитель' },
    grants: [
      'accounting.*',
      'factory.*',
      'shop.*',
      'main.*',
      'chat.*',
      'config.*',
      'users.member.read',
      'workers.*',
    ],
  },
  accountant: {
    text: { en: 'Accountant', ru: 'Бухгалтер' },
    grants: ['accounting.*', 'main.*', 'workers.notification.*'],
  },
  shop_manager: {
    text: { en: 'Shop manager', ru: 'Управляющий магазином' },
    grants: ['shop.*', 'main.*', 'workers.notification.*'],
  },
  production_manager: {
    text: { en: 'Production manager', ru: 'Начальник производства' },
    grants: ['factory.*', 'main.*', 'workers.notification.*'],
  },
  agent: {
    text: { en: 'Support agent', ru: 'Оператор поддержки' },
    grants: ['chat.*', 'workers.notification.*'],
  },
  user: {
    text: { en: 'User', ru: 'Сотрудник' },
    grants: ['main.task.*', 'chat.*', 'workers.notification.*'],
  },
} as const satisfies Record<string, BuiltInRole>;

export type BuiltInRoleName = keyof typeof builtInRoles;
export const RoleName = z.string().regex(/^[a-z][a-z_]{1,39}$/);

/** Whether any of these roles grants the permission; a role nobody knows grants nothing. */
export function rolesGrant(roles: readonly string[], permission: string): boolean {
  return roles.some((role) => {
    if (!Object.hasOwn(builtInRoles, role)) return false;
    const { grants }: BuiltInRole = builtInRoles[role as BuiltInRoleName];
    return grantsCover(grants, permission);
  });
}

/** Whether a list of grants holds a permission, whole or by prefix. */
export function grantsCover(grants: readonly string[], permission: string): boolean {
  return grants.some((grant) => {
    if (grant === '*' || grant === permission) return true;
    return grant.endsWith('.*') && permission.startsWith(grant.slice(0, -1));
  });
}
