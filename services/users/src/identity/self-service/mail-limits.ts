import { createHash } from 'node:crypto';
import type { BucketLimit, Cache } from '@marimo/cache';
import { TooManyRequests } from '@marimo/contracts';
import { people } from '@marimo/contracts/users';
import { emailKey } from '../people/index.ts';
import { networkOf } from '../sessions/index.ts';

const anHour = 60 * 60;
/** In any hour at most three: two at once, and the one that is saved up meanwhile. */
const toOneMailbox: BucketLimit = { perSecond: 1 / anHour, burst: 2 };
/** Somebody's whole office behind one address forgets its passwords on the first day after the holidays. */
const fromOneAddress: BucketLimit = { perSecond: 1 / 60, burst: 20 };

type Asking = 'reset' | 'verification' | 'change';

/** Nobody fills a stranger's mailbox through us. Counted for any mailbox alike, so it does not tell who has an account. */
export interface MailLimits {
  /** Throws TooManyRequests to who asks for too many people. */
  admit(address: string): Promise<void>;
  /** Whether one more may go to this mailbox; counts it. */
  mayMail(asking: Asking, email: string): Promise<boolean>;
  /** The same for who is signed in: throws TooManyMails. */
  requireMailAllowed(asking: Asking, email: string): Promise<void>;
}

export function createMailLimits(cache: Cache): MailLimits {
  const take = (asking: Asking, email: string) =>
    cache.take(`mail:${asking}:${hashed(emailKey(email))}`, toOneMailbox);
  return {
    async admit(address) {
      const { allowed, retryAfterMs } = await cache.take(
        `mail-asker:${hashed(networkOf(address))}`,
        fromOneAddress,
      );
      if (allowed) return;
      throw new TooManyRequests(
        { limit: fromOneAddress.burst },
        { retryAfterSeconds: seconds(retryAfterMs) },
      );
    },
    async mayMail(asking, email) {
      return (await take(asking, email)).allowed;
    },
    async requireMailAllowed(asking, email) {
      const { allowed, retryAfterMs } = await take(asking, email);
      if (!allowed) throw new people.TooManyMails({}, { retryAfterSeconds: seconds(retryAfterMs) });
    },
  };
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** No address of a person lies in a cache. */
function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
