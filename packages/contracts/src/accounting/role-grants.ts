import type { RoleGrants } from '../role-grants.ts';

export const grants: RoleGrants = {
  manager: ['accounting.*'],
  accountant: ['accounting.*'],
};
