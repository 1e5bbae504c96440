import { setImmediate as restOfTurn } from 'node:timers/promises';
import { Advances } from './advances.ts';
import { Buckets } from './buckets.ts';
import { away, type RedisLink } from './redis-link.ts';
import type { BucketLimit, BucketsAnswer, WantedTokens } from './store.ts';

/** One node of a cluster must hold all buckets of a request, and those of two requests may be the same. */
const nameOf = (bucket: string) => `level:{limits}:${bucket}`;
const unknown = -1;
const rememberedBuckets = 100_000;

type Request = readonly WantedTokens[];

/** Requests of one turn of the event loop, which go to Redis together. */
interface Batch {
  readonly requests: Request[];
  readonly answers: Promise<readonly BucketsAnswer[]>;
}

/**
 * Token buckets in Redis. While it is away this process grants its share of them, beginning with its share of what was
 * left when it last heard: an outage is no second burst, neither when it begins nor when it ends.
 */
export class SharedBuckets {
  readonly #link: RedisLink;
  readonly #shares: () => number;
  readonly #own = new Buckets(() => performance.now());
  readonly #advances = new Advances(() => performance.now());
  /** Buckets this process has decided on alone since Redis last heard of them. */
  readonly #decidedAlone = new Set<string>();
  #gathering: Batch | undefined;

  /** @param shares how many processes share each limit */
  constructor(link: RedisLink, shares: () => number) {
    this.#link = link;
    this.#shares = shares;
  }

  async take(wanted: Request): Promise<BucketsAnswer> {
    const inAdvance = this.#advances.take(wanted);
    if (inAdvance !== undefined) return inAdvance;
    this.#gathering ??= this.#gather();
    const { requests, answers } = this.#gathering;
    const place = requests.push(wanted) - 1;
    return (await answers)[place] as BucketsAnswer;
  }

  /** A round trip costs as much as all other work of a limit: the busier the process, the more requests share one. */
  #gather(): Batch {
    const requests: Request[] = [];
    const answers = restOfTurn().then(() => {
      this.#gathering = undefined;
      return this.#takeTogether(requests);
    });
    return { requests, answers };
  }

  async #takeTogether(requests: readonly Request[]): Promise<readonly BucketsAnswer[]> {
    const parts = Math.max(1, this.#shares());
    const askedAt = performance.now();
    const places = new Map<string, number>();
    const buckets: (readonly number[])[] = [];
    const placeOf = (wanted: WantedTokens): number => {
      const known = places.get(wanted.bucket);
      if (known !== undefined) return known;
      const place = buckets.push(this.#describe(wanted, parts));
      places.set(wanted.bucket, place);
      return place;
    };
    const asked = requests.map((wanted) => wanted.flatMap((one) => [placeOf(one), one.tokens ?? 1]));
    const keys = [...places.keys()].map(nameOf);
    const reply = await this.#link.ask((redis) =>
      redis.takeTokens(keys.length, ...keys, JSON.stringify(buckets), JSON.stringify(asked)),
    );
    if (reply === away) return requests.map((wanted) => this.#takeAlone(wanted, parts));
    const next = nextOf(reply);
    for (const bucket of places.keys()) {
      const [remaining, ahead] = [next(), next()];
      this.#advances.receive(bucket, ahead, remaining, askedAt);
      // A part of one token is none, and whoever asks seldom must not be locked out by an outage.
      this.#own.set(bucket, Math.max(remaining / parts, Math.min(1, remaining)));
      this.#decidedAlone.delete(bucket);
    }
    return requests.map((wanted) => ({
      allowed: next() === 1,
      buckets: wanted.map(() => ({ remaining: next(), retryAfterMs: next() })),
      decidedBy: 'shared',
    }));
  }

  /** As the script takes it. */
  #describe({ bucket, limit, tokens = 1 }: WantedTokens, parts: number): readonly number[] {
    const atMost = this.#atMost(bucket, limit, tokens, parts);
    const { back, ahead } = this.#advances.ask(bucket, limit, parts);
    return [limit.perSecond, limit.burst, atMost, back, ahead];
  }

  /** After an outage Redis believes that nothing was taken meanwhile; we know what we took, and guess as much of others. */
  #atMost(bucket: string, limit: BucketLimit, tokens: number, parts: number): number {
    if (!this.#decidedAlone.has(bucket)) return unknown;
    const share = shareOf(limit, tokens, parts);
    return Math.min(limit.burst, (this.#own.level(bucket, share) ?? share.burst) * parts);
  }

  #takeAlone(wanted: Request, parts: number): BucketsAnswer {
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

function nextOf(numbers: readonly number[]): () => number {
  let place = 0;
  return () => numbers[place++] as number;
}
