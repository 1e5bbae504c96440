import { createHash } from 'node:crypto';
import { type BuiltInRoleName, builtInRoles } from '@marimo/contracts';
import type { AuthenticationMethod, Me } from '@marimo/contracts/users';
import { rightsFor } from './proven-rights.ts';
import { rightsInState } from './rights.ts';
import type { Membership } from './store.ts';

/** What somebody sees of themselves, after this proof of who they are. */
export function meOf(membership: Membership, methods: readonly AuthenticationMethod[]): Me {
  const { user, organisation, requireSecondFactor, hasSecondFactor } = membership;
  const { roles, grants } = rightsInState(rightsFor(membership, methods), organisation.state);
  const unproven = requireSecondFactor && !methods.includes('mfa');
  return {
    user,
    organisation,
    roles: [...roles],
    permissions: [...new Set([...builtInGrants(roles), ...grants])].sort(),
    mustEnrolSecondFactor: unproven && !hasSecondFactor,
    mustProveSecondFactor: unproven && hasSecondFactor,
  };
}

/** Another whenever anything of it is another: roles come and go without a new version of the person. */
export function versionOfMe(me: Me): string {
  return createHash('sha256').update(JSON.stringify(me)).digest('base64url').slice(0, 22);
}

function builtInGrants(roles: readonly string[]): string[] {
  return roles.flatMap((role) =>
    Object.hasOwn(builtInRoles, role) ? [...builtInRoles[role as BuiltInRoleName].grants] : [],
  );
}
