import { grantsCover, rolesGrant } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import type { identity } from '@marimo/contracts/users';

/** What an access token says its bearer may do. */
export interface Rights {
  /** Names; built-in ones grant what everybody knows. */
  readonly roles: readonly string[];
  /** Permissions, whole or by prefix. */
  readonly grants: readonly string[];
}

const none: Rights = { roles: [], grants: [] };

/** Who holds one of these can end the pause. */
const endingThePause = ['users.organisation.suspend', 'users.organisation.close'];

/** What nobody is harmed by while nothing may change: looking, and taking one's data along. */
const harmless = permissions.map(({ name }) => name).filter((name) => /\.(read|export)$/.test(name));

/** Whether these rights include the permission, by a role or by a grant. */
export function holds({ roles, grants }: Rights, permission: string): boolean {
  return rolesGrant(roles, permission) || grantsCover(grants, permission);
}

/** Whether somebody with these rights could resume or reopen the organisation. */
export function mayEndPause(rights: Rights): boolean {
  return endingThePause.some((permission) => holds(rights, permission));
}

/**
 * What a token carries of the rights its bearer was given, as long as the organisation is in this state. Where work is
 * stopped, who could let it go on still looks, exports and lets it go on; everybody else may only see that it is so.
 *
 * Source: docs/domain/identity.md#suspending-and-closing-organisations
 */
export function rightsInState(rights: Rights, state: identity.OrganisationState): Rights {
  if (state === 'active') return rights;
  if (state === 'closed' || !mayEndPause(rights)) return none;
  const left = [...harmless, ...endingThePause].filter((permission) => holds(rights, permission));
  return { roles: [], grants: left };
}
