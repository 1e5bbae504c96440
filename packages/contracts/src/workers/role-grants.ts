import type { RoleGrants } from '../built-in-roles.ts';

const own = ['workers.notification.*'];

/** The audit is the administrator's alone: who runs the business does not verify the record of it. */
export const grants: RoleGrants = {
  manager: ['workers.email.*', ...own],
  accountant: own,
  shop_manager: own,
  production_manager: own,
  storekeeper: own,
  buyer: own,
  seller: own,
  cashier: own,
  foreman: own,
  agent: own,
  user: own,
};
