const freeFailures = 5;
const firstDelayMs = 30_000;
const longestDelayMs = 60 * 60_000;

/**
 * How long no code is looked at after so many wrong ones in a row. Whoever guesses has a password already, so the delay
 * is for the account and not for an address: at an hour each, a million codes take a century. It stops codes only, so
 * the owner still gets in with a passkey or a recovery code.
 *
 * Units:  milliseconds.
 * Source: NIST SP 800-63B-4, section 3.2.2; docs/domain/identity.md#second-factors
 */
export function lockoutMsAfter(failures: number): number {
  if (failures < freeFailures) return 0;
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - freeFailures));
}

/** A challenge ends with its fifth wrong answer. */
export const mostWrongAnswers = 5;
