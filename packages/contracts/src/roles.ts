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
      'users.role.read',
      'users.access-report.read',
      // Not the audit: who runs the business does not verify the record of it.
      'workers.email.*',
      'workers.notification.*',
    ],
  },
  accountant: {
    text: { en: 'Accountant', ru: 'Бухгалтер' },
    // Partners are read: who adds a supplier does not pay it. Stock is not theirs to move.
    grants: [
      'accounting.*',
      'main.partner.read',
      'main.item.read',
      'main.document.*',
      'main.report.read',
      'main.task.*',
      'workers.notification.*',
    ],
  },
  shop_manager: {
    text: { en: 'Shop manager', ru: 'Управляющий магазином' },
    grants: [
      'shop.*',
      'main.partner.read',
      'main.item.*',
      'main.stock.*',
      'main.document.*',
      'main.report.read',
      'main.task.*',
      'workers.notification.*',
    ],
  },
  production_manager: {
    text: { en: 'Production manager', ru: 'Начальник производства' },
    grants: [
      'factory.*',
      'main.partner.read',
      'main.item.*',
      'main.stock.*',
      'main.document.*',
      'main.report.read',
      'main.task.*',
      'workers.notification.*',
    ],
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
/** Of a built-in role, or of one of the organisation's own. */
export const RoleName = z.string().regex(/^[a-z][a-z_]{1,39}$/);

/** What a built-in role grants; nothing for any other name. */
export function builtInGrants(role: string): readonly string[] {
  return Object.hasOwn(builtInRoles, role) ? builtInRoles[role as BuiltInRoleName].grants : [];
}

/** Whether any of these roles grants the permission; a role nobody knows grants nothing. */
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
