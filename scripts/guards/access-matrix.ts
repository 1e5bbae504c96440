import type { AnyEndpoint } from '@marimo/contracts';
import { builtInRoles, rolesGrant } from '@marimo/contracts';

export const roleNames = Object.keys(builtInRoles);

/** One line of docs/access.md: who may call an endpoint. */
export function lineOf(endpoint: AnyEndpoint): string {
  const { method, path, access, stepUp } = endpoint;
  const marks = roleNames.map((role) => (admits(endpoint, [role]) ? '●' : '·'));
  const needs = typeof access === 'string' ? access : `\`${access.name}\``;
  return `| \`${method} ${path}\` | ${needs}${stepUp ? ' + step-up' : ''} | ${marks.join(' | ')} |`;
}

/** Whether somebody signed in with these roles, and a fresh proof of who they are, is let in. */
export function admits({ access }: AnyEndpoint, roles: readonly string[]): boolean {
  if (access === 'platform') return false;
  return typeof access === 'string' || rolesGrant(roles, access.name);
}

export const heading = [
  `| Endpoint | Needs | ${roleNames.join(' | ')} |`,
  `|---|---|${roleNames.map(() => ':-:').join('|')}|`,
];
