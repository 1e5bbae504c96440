import { builtInGrants, grantsCover } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import { apiKeys } from '@marimo/contracts/users';

/** What somebody may do, as their roles and their organisation's own say it. */
export interface GrantedRights {
  readonly roles: readonly string[];
  readonly grants: readonly string[];
}

/** The same without names of roles: permissions, whole or by prefix. */
export function grantsOf({ roles, grants }: GrantedRights): string[] {
  return [...new Set([...roles.flatMap(builtInGrants), ...grants])];
}

/** What both lists grant, in as few grants as say it. */
export function narrowed(rights: readonly string[], scopes: readonly string[]): string[] {
  const both = new Set(rights.flatMap((right) => scopes.flatMap((scope) => whatBothGrant(right, scope))));
  return [...both]
    .filter((one) => ![...both].some((other) => other !== one && grantsCover([other], one)))
    .sort();
}

/** One of two prefixes lies within the other, or they have nothing in common. */
function whatBothGrant(one: string, other: string): string[] {
  if (grantsCover([one], other)) return [other];
  return grantsCover([other], one) ? [one] : [];
}

/** Throws `ScopeUnknown` for what is most likely misspelt: it would never allow anything. */
export function requireKnownScopes(scopes: readonly string[]): void {
  const unknown = scopes.filter((scope) => !permissions.some(({ name }) => grantsCover([scope], name)));
  if (unknown.length > 0) throw new apiKeys.ScopeUnknown({ scopes: unknown });
}

/** Throws `ScopeTooWide` where a scope reaches beyond what is held. */
export function requireWithin(
  scopes: readonly string[],
  held: GrantedRights,
  beyond: 'owner' | 'caller',
): void {
  const rights = grantsOf(held);
  const tooWide = scopes.filter((scope) => !grantsCover(rights, scope));
  if (tooWide.length > 0) throw new apiKeys.ScopeTooWide({ scopes: tooWide, beyond });
}
