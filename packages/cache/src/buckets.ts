import { LRUCache } from 'lru-cache';
import type { BucketLevel, BucketLimit, BucketsAnswer, WantedTokens } from './store.ts';

interface Level {
  tokens: number;
  at: number;
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
    const levels = wanted.map(({ bucket, limit }) => this.#filled(bucket, limit, at));
    const allowed = wanted.every(({ tokens = 1 }, place) => (levels[place] as Level).tokens >= tokens);
    const buckets = wanted.map(({ limit, tokens = 1 }, place) => {
      const level = levels[place] as Level;
      if (allowed) level.tokens -= tokens;
      return told(level, limit, tokens);
    });
    return { allowed, buckets };
  }

  /** Tokens of a bucket now; undefined where this process has not seen it. */
  level(bucket: string, limit: BucketLimit): number | undefined {
    return this.#levels.has(bucket) ? this.#filled(bucket, limit, this.#now()).tokens : undefined;
  }

  /** Makes a bucket hold so many tokens. */
  set(bucket: string, tokens: number): void {
    this.#levels.set(bucket, { tokens, at: this.#now() });
  }

  #filled(bucket: string, { perSecond, burst }: BucketLimit, at: number): Level {
    let level = this.#levels.get(bucket);
    if (level === undefined) {
      level = { tokens: burst, at };
      this.#levels.set(bucket, level);
    }
    const more = (Math.max(0, at - level.at) * perSecond) / 1_000;
    level.tokens = Math.min(burst, level.tokens + more);
    level.at = at;
    return level;
  }
}

function told({ tokens }: Level, { perSecond }: BucketLimit, wanted: number): BucketLevel {
  return {
    remaining: Math.floor(tokens),
    retryAfterMs: Math.max(0, Math.ceil(((wanted - tokens) * 1_000) / perSecond)),
  };
}
