import { z } from 'zod';
import type { Text } from './permission.ts';

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

/** What built-in roles may do in one service: whole permissions, or a prefix ending in `.*`. */
export type RoleGrants = Readonly<Partial<Record<BuiltInRoleName, readonly string[]>>>;
