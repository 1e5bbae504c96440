import { Buckets } from './buckets.ts';
import { away, type RedisLink } from './redis-link.ts';
import type { BucketLevel, BucketLimit, BucketsAnswer, WantedTokens } from './store.ts';

/** One node of a cluster must hold all buckets of a request, and those of two requests may be the same. */
const nameOf = (bucket: string) => `bucket:{limits}:${bucket}`;
const unknown = -1;
const rememberedBuckets = 100_000;

/**
 * Token buckets in Redis. While it is away this process grants its share of them, beginning with its share of what was
 * left when it last heard: an outage is no second burst, neither when it begins nor when it ends.
 */
export class SharedBuckets {
  readonly #link: RedisLink;
  readonly #shares: () => number;
  readonly #own = new Buckets(() => performance.now());
  /** Buckets this process has decided on alone since Redis last heard of them. */
  readonly #decidedAlone = new Set<string>();

  /** @param shares how many processes share each limit */
  constructor(link: RedisLink, shares: () => number) {
    this.#link = link;
    this.#shares = shares;
  }

  async take(wanted: readonly WantedTokens[]): Promise<BucketsAnswer> {
    const parts = Math.max(1, this.#shares());
    const keys = wanted.map(({ bucket }) => nameOf(bucket));
    const args = wanted.flatMap((one) => this.#argumentsOf(one, parts));
    const reply = await this.#link.ask((redis) => redis.takeTokens(keys.length, ...keys, ...args));
    if (reply === away) return this.#takeAlone(wanted, parts);
    const buckets = wanted.map(({ bucket }, place): BucketLevel => {
      const remaining = reply[place * 2 + 1] as number;
      // A part of one token is none, and whoever asks seldom must not be locked out by an outage.
      this.#own.set(bucket, Math.max(remaining / parts, Math.min(1, remaining)));
      this.#decidedAlone.delete(bucket);
      return { remaining, retryAfterMs: reply[place * 2 + 2] as number };
    });
    return { allowed: reply[0] === 1, buckets, decidedBy: 'shared' };
  }

  #argumentsOf({ bucket, limit, tokens = 1 }: WantedTokens, parts: number): number[] {
    return [limit.perSecond, limit.burst, tokens, this.#atMost(bucket, limit, tokens, parts)];
  }

  /** After an outage Redis believes that nothing was taken meanwhile; we know what we took, and guess as much of others. */
  #atMost(bucket: string, limit: BucketLimit, tokens: number, parts: number): number {
    if (!this.#decidedAlone.has(bucket)) return unknown;
    const share = shareOf(limit, tokens, parts);
    return Math.min(limit.burst, (this.#own.level(bucket, share) ?? share.burst) * parts);
  }

  #takeAlone(wanted: readonly WantedTokens[], parts: number): BucketsAnswer {
    const ofOurs = wanted.map((one) => ({ ...one, limit: shareOf(one.limit, one.tokens ?? 1, parts) }));
    for (const { bucket } of wanted) {
      if (this.#decidedAlone.size < rememberedBuckets) this.#decidedAlone.add(bucket);
    }
    return { ...this.#own.take(ofOurs), decidedBy: 'local' };
  }
}

/** However small the part, what the limit allows at once must be possible at all. */
function shareOf({ perSecond, burst }: BucketLimit, tokens: number, parts: number): BucketLimit {
  return { perSecond: perSecond / parts, burst: Math.max(burst / parts, Math.min(tokens, burst)) };
}
