import { createHash } from 'node:crypto';
import { builtInGrants } from '@marimo/contracts';
import type { accessTokens, identity } from '@marimo/contracts/users';
import { rightsFor } from './proven-rights.ts';
import { rightsInState } from './rights.ts';
import type { Membership } from './store.ts';

/** What somebody sees of themselves, after this proof of who they are. */
export function meOf(
  membership: Membership,
  methods: readonly accessTokens.AuthenticationMethod[],
): identity.Me {
  const { user, organisation, requireSecondFactor, hasSecondFactor } = membership;
  const { roles, grants } = rightsInState(rightsFor(membership, methods), organisation.state);
  const unproven = requireSecondFactor && !methods.includes('mfa');
  return {
    user,
    organisation,
    roles: [...roles],
    permissions: [...new Set([...roles.flatMap(builtInGrants), ...grants])].sort(),
    mustEnrolSecondFactor: unproven && !hasSecondFactor,
    mustProveSecondFactor: unproven && hasSecondFactor,
  };
}

/** Another whenever anything of it is another: roles come and go without a new version of the person. */
export function versionOfMe(me: identity.Me): string {
  return createHash('sha256').update(JSON.stringify(me)).digest('base64url').slice(0, 22);
}
