import type { BucketLevel, BucketLimit, BucketsAnswer, WantedTokens } from './store.ts';

const goodForMs = 100;
/** Of a burst, for all processes together: what one holds in advance, others cannot see. */
const largestPart = 1 / 20;
const remembered = 50_000;

interface Advance {
  tokens: number;
  /** By the clock of this process. */
  readonly until: number;
  /** Left in the shared bucket when the advance was taken; undefined while it is only asked for. */
  readonly remaining: number | undefined;
}

/** What to ask of a shared bucket beside the tokens of a request. */
export interface AdvanceWanted {
  /** Not used, given back. */
  readonly back: number;
  readonly ahead: number;
}

/**
 * Tokens this process has taken from shared buckets for requests still to come: people come in flocks of requests, and
 * only the first of a flock then makes a round trip. They are taken from the shared bucket first, and spent before as
 * many could have flowed into it, so all processes together never admit more than the limit.
 */
export class Advances {
  readonly #held = new Map<string, Advance>();
  readonly #now: () => number;

  /** @param now milliseconds; only differences count */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined unless every bucket has enough in advance. */
  take(wanted: readonly WantedTokens[]): BucketsAnswer | undefined {
    const now = this.#now();
    const levels: BucketLevel[] = [];
    for (const { bucket, tokens = 1 } of wanted) {
      const held = this.#held.get(bucket);
      if (held?.remaining === undefined || held.tokens < tokens || tokens < 0 || now > held.until)
        return undefined;
      levels.push({ remaining: held.remaining + held.tokens - tokens, retryAfterMs: 0 });
    }
    for (const { bucket, tokens = 1 } of wanted) (this.#held.get(bucket) as Advance).tokens -= tokens;
    return { allowed: true, buckets: levels, decidedBy: 'shared' };
  }

  /** Called as the shared bucket is asked; until it has answered nobody else asks it for an advance. */
  ask(bucket: string, { perSecond, burst }: BucketLimit, processes: number): AdvanceWanted {
    const most = Math.min((perSecond * goodForMs) / 1_000, burst * largestPart);
    const ahead = Math.floor(most / processes);
    const now = this.#now();
    const held = this.#held.get(bucket);
    const isAsked = held !== undefined && held.remaining === undefined && now <= held.until;
    if (ahead === 0 || isAsked) return { back: 0, ahead: 0 };
    if (this.#held.size >= remembered) this.#held.clear();
    this.#held.set(bucket, { tokens: 0, until: now + goodForMs, remaining: undefined });
    return { back: held?.tokens ?? 0, ahead };
  }

  /**
   * @param tokens what was granted of what was asked
   * @param remaining whole tokens left in the shared bucket
   * @param askedAt from when the advance counts, by the clock of this process
   */
  receive(bucket: string, tokens: number, remaining: number, askedAt: number): void {
    if (tokens > 0) this.#held.set(bucket, { tokens, until: askedAt + goodForMs, remaining });
  }
}
