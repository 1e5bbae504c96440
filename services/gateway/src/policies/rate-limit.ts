import type { BucketLevel, BucketLimit, Cache, WantedTokens } from '@marimo/cache';
import { TooManyRequests } from '@marimo/contracts';
import type { Caller } from '@marimo/service-kit';
import { LRUCache } from 'lru-cache';
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
  /** Undefined without a valid token. */
  readonly caller: Caller | undefined;
}

export function rateLimiter(
  cache: Cache,
  limits: GatewaySettings['limits'],
  { rateLimit }: Pick<GatewayMetrics, 'rateLimit'>,
): RateLimiter {
  const bucketsOf = bucketsByRequest();
  return {
    async take(name, from, headers) {
      const counted = bucketsOf(name, from);
      const wanted = counted.map(({ of, bucket }): WantedTokens => ({ bucket, limit: limits[of] }));
      const { allowed, buckets, decidedBy } = await cache.takeAll(wanted);
      const nearest = nearestOf(buckets);
      const limit = (wanted[nearest] as WantedTokens).limit;
      const level = buckets[nearest] as BucketLevel;
      // Allowed by all of them; refused by that one.
      const policy = (counted[allowed ? 0 : nearest] as Bucket).of;
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

interface Bucket {
  readonly of: LimitName;
  readonly bucket: string;
}

/**
 * One address with a thousand sessions is held by the address, one person with many sessions by the person. What a
 * caller and an address count against is named once and not for each request.
 */
function bucketsByRequest() {
  const ofCallers = new WeakMap<Caller, readonly Bucket[]>(); // the verifier gives the same one for the same token
  const ofAddresses = new LRUCache<string, Bucket>({ max: 10_000 });

  function ofAddress(address: string): Bucket {
    const known = ofAddresses.get(address);
    if (known !== undefined) return known;
    const bucket = named('address', networkOf(address));
    ofAddresses.set(address, bucket);
    return bucket;
  }

  function ofCaller(caller: Caller): readonly Bucket[] {
    const known = ofCallers.get(caller);
    if (known !== undefined) return known;
    const { sessionId, userId, authenticatedAt } = caller;
    const isProgram = authenticatedAt === undefined; // it cannot step up; its session is its key
    const buckets = isProgram
      ? [named('key', sessionId)]
      : [named('caller', sessionId), named('user', userId)];
    ofCallers.set(caller, buckets);
    return buckets;
  }

  return (name: LimitName, { address, caller }: Counted): readonly Bucket[] => {
    if (name === 'address') return [ofAddress(address)];
    const own =
      caller === undefined || name !== 'caller' ? [named(name, networkOf(address))] : ofCaller(caller);
    return [...own, ofAddress(address)];
  };
}

const named = (of: LimitName, whom: string): Bucket => ({ of, bucket: `gateway:${of}:${whom}` });

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
