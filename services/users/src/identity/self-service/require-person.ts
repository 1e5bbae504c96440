import { Forbidden } from '@marimo/contracts';
import type { Caller, SignedInCall } from '@marimo/service-kit';

/**
 * Who calls, as a person at a screen. A program acts with an API key of somebody and never proves anything, so it has no
 * say over their password and their e-mail.
 *
 * Errors: Forbidden.
 */
export function requirePerson({ caller }: Pick<SignedInCall, 'caller'>): Caller {
  if (caller.authenticatedAt === undefined) throw new Forbidden({ permission: null });
  return caller;
}
