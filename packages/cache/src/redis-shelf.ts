import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { LookupResult, Shelf } from './cache-aside.ts';
import { away, type Commands, type RedisLink } from './redis-link.ts';

// A version must outlive every entry that was kept under it. It is a new random text each time, so losing one only
// ends entries, while a counter that was evicted and began again could revive them.
const longestTtlMs = 24 * 3_600_000;
const versionTtlMs = longestTtlMs + 3_600_000;
const newVersion = () => randomBytes(9).toString('base64url');

/**
 * Values in Redis. Each is kept with the versions of its key and tags, and counts only while those are the same:
 * dropping is one new version, however many values it ends, and nothing is ever searched for.
 */
export class RedisShelf implements Shelf {
  readonly #link: RedisLink;
  readonly #read: (result: 'hit' | 'miss' | 'away') => void;
  /** Drops that Redis has not heard of. It is not asked for anything before it has. */
  readonly #owed = new LRUCache<string, true>({ max: 50_000 });

  constructor(link: RedisLink, read: (result: 'hit' | 'miss' | 'away') => void) {
    this.#link = link;
    this.#read = read;
    link.onConnected((redis) => this.#settle(redis));
  }

  async find(key: string, tags: readonly string[]): Promise<LookupResult> {
    const names = [versionOfKey(key), ...tags.map(versionOfTag)];
    const entryKey = `entry:${key}`;
    const reply = await this.#link.ask((redis) => get(redis, [entryKey, ...names]));
    if (reply === away) return this.#nothing('away');
    const [entry, ...found] = reply;
    if (typeof entry === 'string') {
      const end = entry.indexOf('\n');
      if (entry.slice(0, end) === found.join(' ')) {
        this.#read('hit');
        return { text: entry.slice(end + 1) };
      }
    }
    const versions = await this.#link.ask((redis) => completeVersions(redis, names, found));
    if (versions === away) return this.#nothing('away');
    this.#read('miss');
    return {
      keep: async (text, ttlMs) => {
        const ms = Math.ceil(Math.min(ttlMs, longestTtlMs));
        await this.#link.ask((redis) => redis.set(entryKey, `${versions.join(' ')}\n${text}`, 'PX', ms));
      },
    };
  }

  dropKey(key: string): Promise<void> {
    return this.#renew(versionOfKey(key));
  }

  dropTag(tag: string): Promise<void> {
    return this.#renew(versionOfTag(tag));
  }

  async #renew(name: string): Promise<void> {
    const reply = await this.#link.ask((redis) => redis.set(name, newVersion(), 'PX', versionTtlMs));
    if (reply !== away) return;
    this.#owed.set(name, true);
    this.#link.renew();
  }

  async #settle(redis: Commands): Promise<void> {
    for (;;) {
      const some = [...this.#owed.keys()].slice(0, 200);
      if (some.length === 0) return;
      await Promise.all(some.map((name) => redis.set(name, newVersion(), 'PX', versionTtlMs)));
      for (const name of some) this.#owed.delete(name);
    }
  }

  #nothing(result: 'away'): LookupResult {
    this.#read(result);
    return { keep: async () => undefined };
  }
}

/** Sent together; not MGET, whose keys a cluster would want on one node. */
function get(redis: Commands, keys: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(keys.map((key) => redis.get(key)));
}

/** Whoever is first to need a version gives it; all others take that one. */
async function completeVersions(
  redis: Commands,
  names: readonly string[],
  found: readonly (string | null)[],
): Promise<readonly (string | null)[]> {
  const missing = names.filter((_, place) => found[place] === null);
  if (missing.length === 0) return found;
  await Promise.all(missing.map((name) => redis.set(name, newVersion(), 'PX', versionTtlMs, 'NX')));
  return get(redis, names);
}

const versionOfKey = (key: string) => `version:key:${key}`;
const versionOfTag = (tag: string) => `version:tag:${tag}`;
