import type { BucketAnswer, Cache } from '@marimo/cache';
import { TooManyRequests } from '@marimo/contracts';
import type { GatewayMetrics } from '../metrics.ts';
import type { GatewaySettings, LimitName } from '../settings.ts';

export interface RateLimiter {
  /** Takes one token and adds the `RateLimit-…` headers; throws `TooManyRequests` when there is none. */
  take(limit: LimitName, key: string, headers: string[]): Promise<void>;
}

export function rateLimiter(
  cache: Cache,
  limits: GatewaySettings['limits'],
  { rateLimit }: Pick<GatewayMetrics, 'rateLimit'>,
): RateLimiter {
  return {
    async take(name, key, headers) {
      const limit = limits[name];
      const answer = await cache.take(`gateway:${name}:${key}`, limit);
      const decision = answer.allowed ? 'allowed' : 'refused';
      rateLimit(name, decision, answer.decidedBy)();
      headers.push('ratelimit-limit', String(limit.burst), 'ratelimit-remaining', String(answer.remaining));
      headers.push('ratelimit-reset', String(secondsUntilFull(answer, limit)));
      if (!answer.allowed) {
        const retryAfterSeconds = Math.max(1, Math.ceil(answer.retryAfterMs / 1000));
        throw new TooManyRequests({ limit: limit.burst }, { retryAfterSeconds });
      }
    },
  };
}

function secondsUntilFull({ remaining }: BucketAnswer, limit: { perSecond: number; burst: number }): number {
  return Math.ceil((limit.burst - remaining) / limit.perSecond);
}
