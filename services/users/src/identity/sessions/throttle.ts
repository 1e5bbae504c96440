import { createHash } from 'node:crypto';
import type { BucketLimit, Cache, WantedTokens } from '@marimo/cache';
import { credentials } from '@marimo/contracts/users';
import { emailKey } from '../people/index.ts';
import { networkOf } from './network.ts';

/** Ten failures at once, then one each half minute: for one address with one account, and for one known device. */
const ofOne: BucketLimit = { perSecond: 1 / 30, burst: 10 };
/**
 * All strangers together with one account: at most so many guesses, from however many addresses. NIST SP 800-63B-4,
 * section 3.2.2, allows 100 in a row.
 */
const ofAccount: BucketLimit = { perSecond: 1 / 120, burst: 60 };
/** All known devices of one account, so that many of them are not many times as many guesses. */
const ofDevices: BucketLimit = { perSecond: 1 / 120, burst: 30 };
/** One address with all accounts: a list of stolen passwords is tried out from somewhere. */
const ofAddress: BucketLimit = { perSecond: 1 / 6, burst: 100 };

export interface Attempt {
  readonly email: string;
  readonly address: string;
  /** Where a device that is known to be this person's was made known. */
  readonly knownDevice: string | undefined;
}

/**
 * Slows down who guesses passwords. Failures count in a row, as NIST SP 800-63B-4 has it: whoever signs in rightly is never
 * slowed. A known device is counted alone, so nobody can lock its owner out from elsewhere.
 */
export interface Throttle {
  /** Takes an attempt before the password is looked at, so that a thousand at once are not all let through. */
  begin(attempt: Attempt): Promise<void>;
  succeeded(attempt: Attempt): Promise<void>;
}

export function createThrottle(cache: Cache): Throttle {
  return {
    begin: (attempt) => take(cache, bucketsOf(attempt)),
    async succeeded(attempt) {
      // Failures count in a row, so what was right wipes the slate. But one's own account clears no address.
      const back = ({ bucket, limit }: WantedTokens) => ({
        bucket,
        limit,
        tokens: limit === ofAddress ? -1 : -limit.burst,
      });
      await cache.takeAll(bucketsOf(attempt).map(back));
    },
  };
}

/** Somebody who is signed in and proves once more who they are. */
export interface OwnAttempt {
  readonly personId: string;
  readonly sessionId: string;
  /** False where only a provider vouches for them: it could begin any number of sessions to guess in. */
  readonly ownProof: boolean;
}

/**
 * The same for who is signed in, whatever strangers try meanwhile. A stolen session slows itself first; but one leads to
 * others, by a switch to another organisation, so all of a person are counted together too.
 */
export interface OwnThrottle {
  /** Takes an attempt before anything is looked at. Errors: TooManyAttempts. */
  begin(attempt: OwnAttempt): Promise<void>;
  succeeded(attempt: OwnAttempt): Promise<void>;
  /** It came to nothing: neither right nor wrong. */
  undo(attempt: OwnAttempt): Promise<void>;
}

export function createOwnThrottle(cache: Cache): OwnThrottle {
  const giveBack = async (attempt: OwnAttempt, howMany: (limit: BucketLimit) => number) => {
    const wanted = ownBucketsOf(attempt);
    await cache.takeAll(wanted.map(({ bucket, limit }) => ({ bucket, limit, tokens: -howMany(limit) })));
  };
  return {
    begin: (attempt) => take(cache, ownBucketsOf(attempt)),
    succeeded: (attempt) => giveBack(attempt, ({ burst }) => burst),
    undo: (attempt) => giveBack(attempt, () => 1),
  };
}

async function take(cache: Cache, wanted: readonly WantedTokens[]): Promise<void> {
  const { allowed, buckets } = await cache.takeAll(wanted);
  if (allowed) return;
  const longestMs = Math.max(...buckets.map(({ retryAfterMs }) => retryAfterMs));
  throw new credentials.TooManyAttempts({}, { retryAfterSeconds: Math.max(1, Math.ceil(longestMs / 1_000)) });
}

function ownBucketsOf({ personId, sessionId, ownProof }: OwnAttempt): WantedTokens[] {
  if (!ownProof) return [{ bucket: nameOf('vouched-for', personId), limit: ofOne }];
  return [
    { bucket: nameOf('session', sessionId), limit: ofOne },
    { bucket: nameOf('sessions', personId), limit: ofAccount },
  ];
}

function bucketsOf({ email, address, knownDevice }: Attempt): WantedTokens[] {
  const mailbox = emailKey(email);
  const network = networkOf(address);
  if (knownDevice !== undefined) {
    return [
      { bucket: nameOf('device', knownDevice), limit: ofOne },
      { bucket: nameOf('devices', mailbox), limit: ofDevices },
    ];
  }
  return [
    { bucket: nameOf('pair', `${mailbox} ${network}`), limit: ofOne },
    { bucket: nameOf('account', mailbox), limit: ofAccount },
    { bucket: nameOf('address', network), limit: ofAddress },
  ];
}

/** A hash: no address of a person lies in a cache. */
function nameOf(kind: string, of: string): string {
  return `sign-in:${kind}:${createHash('sha256').update(of).digest('base64url')}`;
}
