import type { RoleGrants } from '../built-in-roles.ts';

export const grants: RoleGrants = {
  manager: ['accounting.*'],
  accountant: ['accounting.*'],
};
