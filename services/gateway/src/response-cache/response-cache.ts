import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Cache } from '@marimo/cache';
import type { Log } from '@marimo/observability';
import { alreadyHas } from '@marimo/service-kit';
import { LRUCache } from 'lru-cache';
import type { GatewayMetrics } from '../metrics.ts';
import type { ProxiedRequest } from '../proxied-request.ts';
import type { HeaderList } from '../proxy/index.ts';
import type { RoutePolicy } from '../routes/index.ts';
import { type Answer, fetchForAll, TooLarge } from './captured-answer.ts';

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
  readonly ask: (proxied: ProxiedRequest, passed: string[]) => Promise<void>;
}

interface KeptAnswer extends Answer {
  readonly route: string;
  readonly tenantId: string | undefined;
  /** Milliseconds since the epoch, as the two below. */
  readonly keptAt: number;
  readonly freshUntil: number;
  /** After that it may not even stand in for a service that fails. */
  readonly staleUntil: number;
}

/** Which answers to forget; all without a filter. */
export interface Purge {
  readonly tenantId?: string | undefined;
  readonly route?: string | undefined;
}

type CacheResult = 'hit' | 'miss' | 'stale' | 'coalesced' | 'bypass';

/** A client waits this long for an answer that another asked for, then asks alone. */
const longestPatienceMs = 3_000;
const channel = 'gateway:purged';
/** What an answer may vary by: the headers in its key. */
const inTheKey = new Set(['accept', 'accept-encoding', 'accept-language', 'authorization', 'origin']);

/** Answers repeated reads from memory, asks once where many ask the same, and stands in for a service that fails. */
export class ResponseCache {
  readonly #parts: ResponseCacheParts;
  readonly #kept: LRUCache<string, KeptAnswer>;
  readonly #fetching = new Map<string, Promise<Answer | Error>>();
  readonly #id = randomUUID();
  readonly #counted = { hits: 0, misses: 0 };
  readonly #subscribed: Promise<() => void>;

  constructor(parts: ResponseCacheParts) {
    this.#parts = parts;
    this.#kept = new LRUCache({
      max: 50_000,
      maxSize: Math.max(1, parts.maxBytes),
      sizeCalculation: ({ body }, key) => body.length + key.length + 1_000,
    });
    this.#subscribed = parts.cache.subscribe(channel, (message) => {
      const { from, ...purge } = JSON.parse(message) as Purge & { readonly from: string };
      if (from !== this.#id) this.#forget(purge);
    });
  }

  async answer(proxied: ProxiedRequest, read: CachedRead): Promise<void> {
    if (asksForItself(proxied.req)) return this.#askAlone(proxied, read);
    const key = keyOf(proxied, read);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#parts.clock() < kept.freshUntil)
      return this.#send(proxied, read, kept, 'hit');

    const joined = this.#fetching.get(key);
    const patienceMs = joined && Math.min(longestPatienceMs, read.policy.deadlineMs / 2);
    const fetched = await wait(proxied, joined ?? this.#fetch(proxied, key, read), patienceMs);
    if (isAnswer(fetched) && fetched.status < 500) {
      if (joined !== undefined && !mayBeShared(fetched)) return this.#askAlone(proxied, read);
      return this.#send(proxied, read, fetched, joined === undefined ? 'miss' : 'coalesced');
    }
    if (fetched instanceof TooLarge) return this.#askAlone(proxied, read);
    if (kept !== undefined && this.#parts.clock() < kept.staleUntil)
      return this.#send(proxied, read, kept, 'stale');
    if (fetched === undefined) return this.#askAlone(proxied, read);
    if (fetched instanceof Error) throw fetched;
    this.#send(proxied, read, fetched, joined === undefined ? 'miss' : 'coalesced');
  }

  /** Forgets answers: here at once, at the other gateways as soon as they hear of it. Returns how many were here. */
  purge(purge: Purge): number {
    const { cache, log } = this.#parts;
    cache.publish(channel, JSON.stringify({ from: this.#id, ...purge })).catch((error: unknown) => {
      log.warn('the other gateways were not told of a purge', { error });
    });
    return this.#forget(purge);
  }

  state() {
    const { size: entries, calculatedSize: bytes } = this.#kept;
    return { entries, bytes, limitBytes: this.#parts.maxBytes, ...this.#counted };
  }

  async close(): Promise<void> {
    (await this.#subscribed)();
  }

  #fetch(proxied: ProxiedRequest, key: string, { policy, passed, ask }: CachedRead): Promise<Answer | Error> {
    const headers = sharedHeaders(proxied, passed);
    const fetching = fetchForAll(proxied, policy, (forAll) => ask(forAll, headers)).then((fetched) => {
      const isCurrent = this.#fetching.get(key) === fetching; // otherwise it was purged on its way
      if (isCurrent) this.#fetching.delete(key);
      if (!isAnswer(fetched) || fetched.status !== 200 || !mayBeShared(fetched)) return fetched;
      const answer = withTag(fetched);
      const keptAt = this.#parts.clock();
      const freshUntil = keptAt + policy.cache.freshMs;
      const staleUntil = freshUntil + policy.cache.staleIfErrorMs;
      const owner = { route: policy.template, tenantId: proxied.caller?.tenantId };
      if (isCurrent) this.#kept.set(key, { ...answer, ...owner, keptAt, freshUntil, staleUntil });
      return answer;
    });
    this.#fetching.set(key, fetching);
    return fetching;
  }

  #send(
    proxied: ProxiedRequest,
    { policy }: CachedRead,
    answer: Answer | KeptAnswer,
    result: CacheResult,
  ): void {
    this.#count(policy.service, result);
    send(proxied, answer, result, 'keptAt' in answer ? this.#parts.clock() - answer.keptAt : 0);
  }

  async #askAlone(proxied: ProxiedRequest, { policy, passed, ask }: CachedRead): Promise<void> {
    this.#count(policy.service, 'bypass');
    proxied.ownHeaders.push('x-marimo-cache', 'bypass');
    await ask(proxied, passed);
  }

  #count(upstream: string, result: CacheResult): void {
    if (result === 'miss') this.#counted.misses += 1;
    else if (result !== 'bypass') this.#counted.hits += 1;
    this.#parts.metrics.cache.inc({ upstream, result });
  }

  #forget({ tenantId, route }: Purge): number {
    this.#fetching.clear(); // what is on its way is for those who asked already
    const before = this.#kept.size;
    for (const [key, kept] of this.#kept.entries()) {
      if ((tenantId ?? kept.tenantId) === kept.tenantId && (route ?? kept.route) === kept.route)
        this.#kept.delete(key);
    }
    return before - this.#kept.size;
  }
}

/**
 * Everything an answer may depend on: nothing else of the request reaches the service. The session is in it because two
 * API keys of one account may differ in what they may do.
 */
function keyOf({ caller, req: { headers } }: ProxiedRequest, { path, query }: CachedRead): string {
  const who = caller && [caller.tenantId, caller.userId, caller.sessionId, caller.permissionsVersion];
  const parameters = new URLSearchParams(query);
  parameters.sort(); // in one order, however it was written; values of one name keep theirs
  const { accept, 'accept-language': language, 'accept-encoding': coding } = headers;
  return JSON.stringify([who, path, parameters.toString(), accept, language, coding]);
}

/** The headers in the key. On a public route the token was not checked and is not in the key. */
function sharedHeaders({ caller }: ProxiedRequest, passed: readonly string[]): string[] {
  const isShared = (name: string) =>
    /^accept(?:-language|-encoding)?$/.test(name) || (name === 'authorization' && caller !== undefined);
  return passed.filter((_, at) => isShared(passed[at - (at % 2)] as string));
}

/** What a client says of caches does not count: browsers add `no-cache` to every conditional request. */
function asksForItself({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.range !== undefined || headers['if-match'] !== undefined) return true;
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** Undefined when it took too long; rejects when the client leaves or its time is up. */
function wait<T>(
  proxied: ProxiedRequest,
  work: Promise<T>,
  forMs: number | undefined,
): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const timer = forMs === undefined ? undefined : setTimeout(() => resolve(undefined), forMs);
  proxied.interruptWith(reject);
  void work.then(resolve);
  return promise.finally(() => {
    clearTimeout(timer);
    proxied.interruptWith(undefined);
  });
}

const isAnswer = (fetched: Answer | Error | undefined): fetched is Answer =>
  fetched !== undefined && !(fetched instanceof Error);

/** A cookie is for one client, and what varies by something outside the key is not the same for all. */
function mayBeShared({ headers }: Answer): boolean {
  const varied = headerOf(headers, 'vary')?.toLowerCase().split(',') ?? [];
  return headerOf(headers, 'set-cookie') === undefined && varied.every((name) => inTheKey.has(name.trim()));
}

/** The service's tag, or one made of the body. */
function withTag(answer: Answer): Answer {
  if (headerOf(answer.headers, 'etag') !== undefined) return answer;
  const etag = `"${createHash('sha256').update(answer.body).digest('base64url').slice(0, 22)}"`;
  return { ...answer, headers: [...answer.headers, 'etag', etag] };
}

/** Sends an answer, or says that the client has it already. */
function send(
  proxied: ProxiedRequest,
  { status, headers, body }: Answer,
  result: CacheResult,
  ageMs: number,
): void {
  const { res, req, ownHeaders } = proxied;
  if (res.destroyed || proxied.cancelled !== undefined) return;
  const age = String(Math.max(0, Math.floor(ageMs / 1000)));
  const all = [...ownHeaders, 'age', age, 'x-marimo-cache', result, ...headers];
  const etag = headerOf(headers, 'etag');
  if (status === 200 && etag !== undefined && alreadyHas(req.headers['if-none-match'], etag)) {
    const ofBody = /^content-(?:type|encoding|language)$/;
    res.writeHead(
      304,
      all.filter((_, at) => !ofBody.test(String(all[at - (at % 2)]))),
    );
    res.end();
    return;
  }
  const isEmpty = status === 204 || status === 304;
  proxied.bytesSent = body.length;
  res.writeHead(status, isEmpty ? all : [...all, 'content-length', String(body.length)]);
  res.end(isEmpty ? undefined : body);
  proxied.allWritten();
}

function headerOf(headers: HeaderList, name: string): string | undefined {
  const at = headers.findIndex((text, place) => place % 2 === 0 && text === name);
  return at < 0 ? undefined : String(headers[at + 1]);
}
