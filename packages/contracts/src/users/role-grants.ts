import type { RoleGrants } from '../role-grants.ts';

export const grants: RoleGrants = {
  manager: ['users.member.read', 'users.role.read', 'users.access-report.read'],
};
