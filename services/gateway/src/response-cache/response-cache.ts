import { randomUUID } from 'node:crypto';
import type { Cache } from '@marimo/cache';
import type { Log } from '@marimo/observability';
import type { GatewayMetrics } from '../metrics.ts';
import type { Passage } from '../passage.ts';
import type { RoutePolicy } from '../routes/index.ts';
import { Flight, type Landing } from './flight.ts';
import { type CacheResult, give, mayBeShared, toBeKept } from './give.ts';
import { type Dropped, type KeptAnswer, KeptAnswers, type Owner } from './kept-answers.ts';
import { asksForItself, keyOf, sharedHeaders } from './key.ts';

export interface ResponseCacheParts {
  readonly cache: Cache;
  readonly metrics: Pick<GatewayMetrics, 'cache'>;
  readonly log: Log;
  readonly maxBytes: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A read whose route declares `cache`. */
export interface CachedRead {
  readonly policy: Pick<RoutePolicy, 'service' | 'template' | 'deadlineMs'> & {
    readonly cache: NonNullable<RoutePolicy['cache']>;
  };
  readonly path: string;
  readonly query: string;
  /** Headers of the client that may pass; more is added as it is sent. */
  readonly passed: string[];
  /** Sends it to the service with these headers. */
  readonly ask: (passage: Passage, passed: string[]) => Promise<void>;
}

/** A whole herd may wait for one answer, but not without end. */
const mostWaiting = 1_000;
/** Whoever joined waits so long for an answer that another asked for, then asks alone. */
const longestPatienceMs = 3_000;
const channel = 'gateway:written';

/** Answers repeated reads from memory, asks once where many ask the same, and stands in for a service that fails. */
export class ResponseCache {
  readonly #parts: ResponseCacheParts;
  readonly #kept: KeptAnswers;
  readonly #id = randomUUID();
  readonly #counted = { hits: 0, misses: 0 };
  readonly #subscribed: Promise<() => void>;

  constructor(parts: ResponseCacheParts) {
    this.#parts = parts;
    this.#kept = new KeptAnswers(parts.maxBytes);
    this.#subscribed = parts.cache.subscribe(channel, (message) => this.#heard(message));
  }

  async answer(passage: Passage, read: CachedRead): Promise<void> {
    const { policy, path, query } = read;
    const owner = { service: policy.service, tenantId: passage.caller?.tenantId ?? '' };
    // What is read while something is written may be from before or after it, and nobody could say when it is old.
    if (asksForItself(passage.req) || this.#kept.isWriting(owner)) return this.#askAlone(passage, read);
    const key = keyOf(passage.caller, path, query, passage.req.headers);
    const now = this.#parts.clock();
    const kept = this.#kept.find(key);
    if (kept !== undefined && now < kept.freshUntil) return this.#give(passage, read, kept, 'hit');

    const joined = this.#kept.flight(owner, key);
    if (joined !== undefined && joined.waiting >= mostWaiting) return this.#askAlone(passage, read);
    const flight = joined ?? this.#launch(passage, owner, key, read);
    const patience = Math.min(longestPatienceMs, policy.deadlineMs / 2);
    const landing = await wait(passage, flight, joined === undefined ? undefined : patience);
    await this.#receive(passage, read, landing, kept, joined === undefined ? 'miss' : 'coalesced');
  }

  /** Runs a write; what it may have changed is not answered from memory while it runs, nor from before it afterwards. */
  async write(passage: Passage, service: string, work: () => Promise<void>): Promise<void> {
    const owner = { service, tenantId: passage.caller?.tenantId ?? '' };
    this.#kept.beginWrite(owner);
    try {
      await work();
    } finally {
      // Before the client can have seen the end of the answer and asked again.
      if (!wasRefused(passage)) this.#drop(owner);
      this.#kept.endWrite(owner);
    }
  }

  /** Forgets the answers of a route or an organisation or all; here at once, elsewhere as soon as it is heard. */
  purge({
    tenantId,
    route,
  }: {
    readonly tenantId?: string | undefined;
    readonly route?: string | undefined;
  }): number {
    return this.#drop({ ...(tenantId !== undefined && { tenantId }), ...(route !== undefined && { route }) });
  }

  state() {
    const { hits, misses } = this.#counted;
    return { ...this.#kept.size, limitBytes: this.#parts.maxBytes, hits, misses };
  }

  async close(): Promise<void> {
    (await this.#subscribed)();
  }

  #drop(what: Dropped): number {
    const { cache, log } = this.#parts;
    cache.publish(channel, JSON.stringify({ from: this.#id, ...what })).catch((error: unknown) => {
      log.warn('other gateways were not told of a write', { error });
    });
    return this.#kept.drop(what);
  }

  #launch(passage: Passage, owner: Owner, key: string, read: CachedRead): Flight {
    const { policy, passed, ask } = read;
    const headers = sharedHeaders(passage.caller, passed, passage.req.headers);
    const flight = new Flight(passage, policy.service, policy.deadlineMs, (through) => ask(through, headers));
    this.#kept.launch(owner, key, flight);
    void flight.landed.then(({ answer }) => {
      const keep = answer && toBeKept(answer, policy.template, this.#parts.clock(), policy.cache);
      // What failed to come anew must not push out what can stand in for it.
      this.#kept.land(owner, key, flight, keep);
    });
    return flight;
  }

  async #receive(
    passage: Passage,
    read: CachedRead,
    landing: Landing | undefined,
    kept: KeptAnswer | undefined,
    result: 'miss' | 'coalesced',
  ): Promise<void> {
    const answer = landing?.answer;
    if (answer !== undefined && answer.status < 500) {
      if (result === 'coalesced' && !mayBeShared(answer)) return this.#askAlone(passage, read);
      return this.#give(passage, read, answer, result);
    }
    if (landing?.tooLarge) return this.#askAlone(passage, read);
    if (kept !== undefined && this.#parts.clock() < kept.staleUntil)
      return this.#give(passage, read, kept, 'stale');
    if (landing === undefined) return this.#askAlone(passage, read);
    if (answer !== undefined) return this.#give(passage, read, answer, result);
    throw landing.error;
  }

  #give(
    passage: Passage,
    { policy }: CachedRead,
    answer: KeptAnswer | NonNullable<Landing['answer']>,
    result: CacheResult,
  ): void {
    this.#count(policy.service, result);
    const ageMs = 'keptAt' in answer ? this.#parts.clock() - answer.keptAt : 0;
    give(passage, answer, result, ageMs);
  }

  async #askAlone(passage: Passage, { policy, passed, ask }: CachedRead): Promise<void> {
    this.#count(policy.service, 'bypass');
    passage.ownHeaders.push('x-marimo-cache', 'bypass');
    await ask(passage, passed);
  }

  #count(upstream: string, result: CacheResult): void {
    if (result === 'miss') this.#counted.misses += 1;
    else if (result !== 'bypass') this.#counted.hits += 1;
    this.#parts.metrics.cache.inc({ upstream, result });
  }

  #heard(message: string): void {
    const { from, ...what } = JSON.parse(message) as Dropped & { readonly from: string };
    if (from !== this.#id) this.#kept.drop(what);
  }
}

/** It was refused for what it was, so nothing was changed. Of anything else nobody knows. */
function wasRefused({ res }: Passage): boolean {
  return res.headersSent && res.statusCode >= 400 && res.statusCode < 500;
}

/** Undefined when it took too long; rejects when the client leaves or its time is up. */
function wait(passage: Passage, flight: Flight, forMs: number | undefined): Promise<Landing | undefined> {
  return new Promise((resolve, reject) => {
    flight.waiting += 1;
    let isOver = false;
    const once = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      flight.waiting -= 1;
      clearTimeout(timer);
      passage.interruptWith(undefined);
      settle();
    };
    const timer = forMs === undefined ? undefined : setTimeout(once, forMs, () => resolve(undefined));
    passage.interruptWith((reason) => once(() => reject(reason)));
    void flight.landed.then((landing) => once(() => resolve(landing)));
  });
}
