import { LRUCache } from 'lru-cache';
import type { BucketLevel, BucketLimit, BucketsAnswer, WantedTokens } from './store.ts';

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

  take(wanted: readonly WantedTokens[]): Pick<BucketsAnswer, 'allowed' | 'buckets'> {
    const at = this.#now();
    const filled = wanted.map(({ bucket, limit }) => this.#filled(bucket, limit, at));
    const allowed = wanted.every(({ tokens = 1 }, place) => (filled[place] as number) >= tokens);
    const buckets = wanted.map(({ bucket, limit, tokens = 1 }, place) => {
      const left = (filled[place] as number) - (allowed ? tokens : 0);
      this.#levels.set(bucket, { tokens: left, at });
      return levelOf(left, limit, tokens);
    });
    return { allowed, buckets };
  }

  /** Tokens of a bucket now; undefined where this process has not seen it. */
  level(bucket: string, limit: BucketLimit): number | undefined {
    return this.#levels.has(bucket) ? this.#filled(bucket, limit, this.#now()) : undefined;
  }

  /** Makes a bucket hold so many tokens. */
  set(bucket: string, tokens: number): void {
    this.#levels.set(bucket, { tokens, at: this.#now() });
  }

  #filled(bucket: string, { perSecond, burst }: BucketLimit, at: number): number {
    const last = this.#levels.get(bucket) ?? { tokens: burst, at };
    return Math.min(burst, last.tokens + (Math.max(0, at - last.at) * perSecond) / 1_000);
  }
}

function levelOf(left: number, { perSecond }: BucketLimit, wanted: number): BucketLevel {
  return {
    remaining: Math.floor(left),
    retryAfterMs: Math.max(0, Math.ceil(((wanted - left) * 1_000) / perSecond)),
  };
}
