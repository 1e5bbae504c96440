import { type accessTokens, credentials } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { isProviderAlone } from './proof-store.ts';

/** Something of the person's own; `fed` is what an organisation's provider says, also where it says `mfa`. */
const personal: readonly accessTokens.AuthenticationMethod[] = ['pwd', 'otp', 'swk', 'recovery'];

interface AuthenticatedPerson {
  readonly userId: string;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
}

/**
 * Whether whoever calls has proved themselves who they are. Who has not, whether an organisation's provider vouches for
 * them or they are a program, reaches nothing outside the organisation they are in.
 *
 * Source: docs/domain/identity.md#sign-in-with-an-organisations-provider
 */
export function hasPersonalAuthentication({ methods }: Pick<AuthenticatedPerson, 'methods'>): boolean {
  return methods.some((method) => personal.includes(method));
}

/** Before somebody goes to another organisation. Errors: OwnProofNeeded. */
export function requirePersonalAuthentication(caller: Pick<AuthenticatedPerson, 'methods'>): void {
  if (caller.methods.includes('fed') && !hasPersonalAuthentication(caller))
    throw new credentials.OwnProofNeeded({});
}

/**
 * What of a proof counts in another organisation: not the word of a provider there, nor a second factor that only it has
 * seen or that made two only with its word.
 */
export function methodsElsewhere(
  methods: readonly accessTokens.AuthenticationMethod[],
): accessTokens.AuthenticationMethod[] {
  if (!methods.includes('fed')) return [...methods];
  const left = methods.filter((method) => personal.includes(method));
  const isBoth = left.includes('pwd') && left.length > 1;
  return isBoth ? [...left, 'mfa'] : left;
}

/**
 * Before something that concerns the person wherever they are: what they prove themselves with, what they are called. In
 * the tenant they are in, or in none. Who has no password and belongs to this organisation alone needs no more than its
 * provider's word: it vouches for all there is of them.
 *
 * Errors: OwnProofNeeded.
 */
export async function requireAccountControl(
  tx: Transaction,
  { userId, methods, tenantId }: AuthenticatedPerson & { readonly tenantId: string },
): Promise<void> {
  if (!methods.includes('fed') || hasPersonalAuthentication({ methods })) return;
  if (!(await isProviderAlone(tx, userId, tenantId))) throw new credentials.OwnProofNeeded({});
}
