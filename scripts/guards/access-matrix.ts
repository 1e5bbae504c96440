import type { AnyEndpoint } from '@marimo/contracts';
import { builtInRoles, isForServices, rolesGrant } from '@marimo/contracts';

export const roleNames = Object.keys(builtInRoles);

/** One line of docs/access.md: who may call an endpoint. */
export function lineOf(endpoint: AnyEndpoint): string {
  const { method, path, access, stepUp } = endpoint;
  const marks = roleNames.map((role) => (admits(endpoint, [role]) ? '●' : '·'));
  return `| \`${method} ${path}\` | ${needsOf(access)}${stepUp ? ' + step-up' : ''} | ${marks.join(' | ')} |`;
}

/** Whether somebody signed in with these roles, and a fresh proof of who they are, is let in. */
export function admits({ access }: AnyEndpoint, roles: readonly string[]): boolean {
  if (isForServices(access)) return false;
  return typeof access === 'string' || rolesGrant(roles, access.name);
}

function needsOf(access: AnyEndpoint['access']): string {
  if (typeof access === 'string') return access;
  if (isForServices(access)) return `service: ${access.services.join(', ')}`;
  return `\`${access.name}\``;
}
