import type { accessTokens } from '@marimo/contracts/users';

const first: readonly accessTokens.AuthenticationMethod[] = ['pwd', 'fed'];
const second: readonly accessTokens.AuthenticationMethod[] = ['otp', 'swk', 'recovery'];
const listedAs: readonly accessTokens.AuthenticationMethod[] = [
  'pwd',
  'fed',
  'otp',
  'swk',
  'recovery',
  'mfa',
];

/** What was proved now; `verified` when a passkey's device has asked for a finger, a face or a PIN itself. */
export interface Proof {
  readonly method: accessTokens.AuthenticationMethod;
  readonly verified: boolean;
}

/**
 * All methods of a session after this proof, with `mfa` once two different kinds came together: something known and
 * something held, or a device that verified its holder.
 *
 * Source: RFC 8176
 */
export function methodsAfter(
  before: readonly accessTokens.AuthenticationMethod[],
  { method, verified }: Proof,
): accessTokens.AuthenticationMethod[] {
  const all = new Set([...before, method]);
  const isBoth = first.some((each) => all.has(each)) && second.some((each) => all.has(each));
  if (verified || isBoth) all.add('mfa');
  return listedAs.filter((each) => all.has(each));
}
