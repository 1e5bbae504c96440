import { LRUCache } from 'lru-cache';
import type { BucketAnswer, BucketLimit } from './store.ts';

interface Level {
  readonly tokens: number;
  readonly at: number;
}

/** Token buckets of this process. The script in `redis-scripts.ts` does the same sum in Redis. */
export class Buckets {
  readonly #levels = new LRUCache<string, Level>({ max: 100_000 });
  readonly #now: () => number;

  /** @param now milliseconds; only differences count */
  constructor(now: () => number) {
    this.#now = now;
  }

  take(bucket: string, { perSecond, burst }: BucketLimit, wanted: number): Omit<BucketAnswer, 'decidedBy'> {
    const at = this.#now();
    const last = this.#levels.get(bucket) ?? { tokens: burst, at };
    const filled = Math.min(burst, last.tokens + (Math.max(0, at - last.at) * perSecond) / 1_000);
    const allowed = filled >= wanted;
    const tokens = allowed ? filled - wanted : filled;
    this.#levels.set(bucket, { tokens, at });
    return {
      allowed,
      remaining: Math.floor(tokens),
      retryAfterMs: Math.max(0, Math.ceil(((wanted - tokens) * 1_000) / perSecond)),
    };
  }
}
