import type { accessTokens } from '@marimo/contracts/users';
import type { Membership } from './store.ts';

type Rights = Pick<Membership, 'roles' | 'grants'>;

/**
 * What a token carries of the member's rights, after this proof of identity: nothing where the organisation demands a
 * second factor and none was shown. They can still sign in, add one and step up, so switching the demand on locks
 * nobody out.
 *
 * Source: docs/domain/identity.md#second-factors
 */
export function rightsFor(
  { roles, grants, requireSecondFactor }: Rights & Pick<Membership, 'requireSecondFactor'>,
  methods: readonly accessTokens.AuthenticationMethod[],
): Rights {
  if (requireSecondFactor && !methods.includes('mfa')) return { roles: [], grants: [] };
  return { roles, grants };
}
