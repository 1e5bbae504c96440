import type { BucketLevel, BucketLimit, Cache, WantedTokens } from '@marimo/cache';
import { TooManyRequests } from '@marimo/contracts';
import type { Caller } from '@marimo/service-kit';
import type { GatewayMetrics } from '../metrics.ts';
import type { GatewaySettings, LimitName } from '../settings.ts';
import { networkOf } from './address.ts';

export interface RateLimiter {
  /**
   * Takes one token for everything the request counts against and adds the `RateLimit-…` headers of the limit that is
   * nearest; throws `TooManyRequests` when one has none, and then takes from none.
   * @param limit of the route; `caller` unless it has one of its own
   */
  take(limit: LimitName, from: Counted, headers: string[]): Promise<void>;
}

/** Whom a request counts against. */
export interface Counted {
  readonly address: string;
  /** Undefined where nobody is signed in, and for a token nobody believes. */
  readonly caller: Caller | undefined;
}

export function rateLimiter(
  cache: Cache,
  limits: GatewaySettings['limits'],
  { rateLimit }: Pick<GatewayMetrics, 'rateLimit'>,
): RateLimiter {
  return {
    async take(name, from, headers) {
      const names: LimitName[] = [];
      const wanted: WantedTokens[] = [];
      for (const [limit, of] of bucketsOf(name, from)) {
        names.push(limit);
        wanted.push({ bucket: `gateway:${limit}:${of}`, limit: limits[limit] });
      }
      const { allowed, buckets, decidedBy } = await cache.takeAll(wanted);
      const nearest = nearestOf(buckets);
      const limit = (wanted[nearest] as WantedTokens).limit;
      const level = buckets[nearest] as BucketLevel;
      // Allowed by all of them; refused by that one.
      const policy = (allowed ? names[0] : names[nearest]) as LimitName;
      rateLimit(policy, allowed ? 'allowed' : 'refused', decidedBy)();
      headers.push('ratelimit-limit', String(limit.burst), 'ratelimit-remaining', String(level.remaining));
      headers.push('ratelimit-reset', String(secondsUntilFull(level, limit)));
      if (!allowed) {
        const retryAfterSeconds = Math.max(1, Math.ceil(level.retryAfterMs / 1000));
        throw new TooManyRequests({ limit: limit.burst }, { retryAfterSeconds });
      }
    },
  };
}

type Bucket = readonly [LimitName, string];

/** One address with a thousand sessions is held by the address, one person with many sessions by the person. */
function bucketsOf(name: LimitName, { address, caller }: Counted): readonly Bucket[] {
  const network = networkOf(address);
  const wide: Bucket = ['address', network];
  if (caller === undefined || name !== 'caller') return [[name, network], wide];
  // A program cannot prove anything anew, so it has no such time; its session is its key.
  if (caller.authenticatedAt === undefined) return [['key', caller.sessionId], wide];
  return [['caller', caller.sessionId], ['user', caller.userId], wide];
}

/** The one a client reaches first; of those that refuse, the one it waits for longest. */
function nearestOf(buckets: readonly BucketLevel[]): number {
  let nearest = 0;
  for (let place = 1; place < buckets.length; place++) {
    const [one, best] = [buckets[place] as BucketLevel, buckets[nearest] as BucketLevel];
    const byWait = one.retryAfterMs - best.retryAfterMs;
    if (byWait > 0 || (byWait === 0 && one.remaining < best.remaining)) nearest = place;
  }
  return nearest;
}

function secondsUntilFull({ remaining }: BucketLevel, limit: BucketLimit): number {
  return Math.ceil((limit.burst - remaining) / limit.perSecond);
}
