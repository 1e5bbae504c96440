import { createHash } from 'node:crypto';
import type { BucketLimit, Cache } from '@marimo/cache';
import { TooManyAttempts } from '@marimo/contracts/users';
import { emailKey } from '../organisations/index.ts';

const secondsPerFailure = 30;
/** Ten failures at once, then one each half minute. */
const failures: BucketLimit = { perSecond: 1 / secondsPerFailure, burst: 10 };

/**
 * Slows down who guesses the password of one account from one address. Only failures count, and only there: nobody can
 * lock an owner out from elsewhere, and who signs in rightly is never slowed.
 */
export interface Throttle {
  /** Throws TooManyAttempts while this address has failed too often with this account. */
  admit(email: string, address: string): Promise<void>;
  failed(email: string, address: string): Promise<void>;
}

export function createThrottle(cache: Cache): Throttle {
  return {
    async admit(email, address) {
      const { remaining } = await cache.take(bucketOf(email, address), failures, 0);
      if (remaining < 1) throw new TooManyAttempts({}, { retryAfterSeconds: secondsPerFailure });
    },
    async failed(email, address) {
      await cache.take(bucketOf(email, address), failures);
    },
  };
}

/** A hash: no address of a person lies in a cache. */
function bucketOf(email: string, address: string): string {
  return `sign-in:${createHash('sha256')
    .update(`${emailKey(email)} ${address}`)
    .digest('base64url')}`;
}
