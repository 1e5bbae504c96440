import type { Log } from '@marimo/observability';
import { LRUCache } from 'lru-cache';
import { Buckets } from './buckets.ts';
import { CacheAside, type LookupResult, type Shelf } from './cache-aside.ts';
import { Leases } from './leases.ts';
import type { BucketLevel, Cache } from './store.ts';
import { Topics } from './topics.ts';

export interface MemoryCacheOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly log?: Log;
}

/** For one process: what others drop or take is not seen here. */
export function memoryCache({ clock = Date.now, log }: MemoryCacheOptions = {}): Cache {
  const shelf = new MemoryShelf(clock);
  const aside = new CacheAside(shelf);
  const buckets = new Buckets(clock);
  const leases = new Leases(clock);
  const topics = new Topics((error) => log?.error('a listener failed', { error }));
  return {
    wrap: (key, options, load) => aside.wrap(key, options, load),
    async drop(key) {
      shelf.dropKey(key);
      aside.forget(key);
    },
    async dropTag(tag) {
      shelf.dropTag(tag);
      aside.forgetTag(tag);
    },
    async take(bucket, limit, tokens = 1) {
      const { allowed, buckets: levels } = buckets.take([{ bucket, limit, tokens }]);
      return { allowed, decidedBy: 'shared', ...(levels[0] as BucketLevel) };
    },
    takeAll: async (wanted) => ({ ...buckets.take(wanted), decidedBy: 'shared' }),
    lease: async (name, ttlMs) => leases.take(name, ttlMs),
    publish: async (channel, message) => topics.emit(channel, message),
    subscribe: async (channel, listener) => topics.add(channel, listener),
    connected: true,
    close: async () => topics.clear(),
  };
}

interface Entry {
  readonly text: string;
  readonly keptUntil: number;
  /** The count of drops when the value was looked for; what was dropped later makes it invalid. */
  readonly asOf: number;
}

class MemoryShelf implements Shelf {
  readonly #entries = new LRUCache<string, Entry>({
    max: 100_000,
    maxSize: 64 * 1_024 * 1_024,
    sizeCalculation: ({ text }) => text.length + 100,
  });
  /** The drop each key or tag was last part of. Forgetting one of them would revive old values, so it ends them all. */
  readonly #drops = new LRUCache<string, number>({
    max: 100_000,
    dispose: (drop, _name, reason) => {
      if (reason === 'evict') this.#oldest = Math.max(this.#oldest, drop);
    },
  });
  readonly #clock: () => number;
  #drop = 0;
  #oldest = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async find(key: string, tags: readonly string[]): Promise<LookupResult> {
    const asOf = this.#drop;
    const names = [nameOfKey(key), ...tags.map(nameOfTag)];
    const isValid = (since: number) =>
      since >= this.#oldest && names.every((name) => (this.#drops.get(name) ?? 0) <= since);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.keptUntil > this.#clock() && isValid(entry.asOf))
      return { text: entry.text };
    return {
      keep: async (text, ttlMs) => {
        if (isValid(asOf)) this.#entries.set(key, { text, keptUntil: this.#clock() + ttlMs, asOf });
      },
    };
  }

  dropKey(key: string): void {
    this.#drops.set(nameOfKey(key), ++this.#drop);
    this.#entries.delete(key);
  }

  dropTag(tag: string): void {
    this.#drops.set(nameOfTag(tag), ++this.#drop);
  }
}

const nameOfKey = (key: string) => `key ${key}`;
const nameOfTag = (tag: string) => `tag ${tag}`;
