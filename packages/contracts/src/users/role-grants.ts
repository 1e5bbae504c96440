import type { RoleGrants } from '../built-in-roles.ts';

export const grants: RoleGrants = {
  manager: ['users.member.read', 'users.role.read', 'users.access-report.read'],
};
