import { randomUUID } from 'node:crypto';
import type { Metrics } from '@marimo/observability';
import { CacheAside } from './cache-aside.ts';
import { Leases } from './leases.ts';
import { away, RedisLink, type RedisLinkOptions } from './redis-link.ts';
import { RedisShelf } from './redis-shelf.ts';
import { nameInRedis, RedisSubscriptions } from './redis-subscriptions.ts';
import { SharedBuckets } from './shared-buckets.ts';
import type { BucketLevel, Cache, Lease } from './store.ts';
import { Topics } from './topics.ts';

export interface RedisCacheOptions extends Omit<RedisLinkOptions, 'name' | 'report'> {
  readonly metrics: Metrics;
  /** How many processes share each limit; while Redis is away each grants this part of it. One unless told. */
  readonly shares?: () => number;
}

/** Shared by all who use the same Redis; while it is away each process goes on with what it can decide alone. */
export function redisCache(options: RedisCacheOptions): Cache {
  const { log, metrics, shares = () => 1 } = options;
  const isUp = metrics.gauge('cache_store_up', 'Whether the shared store of cache and limits answers', []);
  const reads = metrics.counter('cache_reads_total', 'Looks into the cache', ['result']);
  const link = new RedisLink({ ...options, name: 'cache', report: (up) => isUp.set(up ? 1 : 0) });
  const shelf = new RedisShelf(link, (result) => reads.inc({ result }));
  const aside = new CacheAside(shelf);
  const topics = new Topics((error) => log.error('a listener failed', { error }));
  const subscriptions = new RedisSubscriptions({ ...options, name: 'events' }, topics);
  const limits = new SharedBuckets(link, shares);
  const leases = new Leases(Date.now);

  return {
    wrap: (key, wrapping, load) => aside.wrap(key, wrapping, load),
    async drop(key) {
      await shelf.dropKey(key);
      aside.forget(key);
    },
    async dropTag(tag) {
      await shelf.dropTag(tag);
      aside.forgetTag(tag);
    },
    async take(bucket, limit, tokens = 1) {
      const { buckets: levels, ...decision } = await limits.take([{ bucket, limit, tokens }]);
      return { ...decision, ...(levels[0] as BucketLevel) };
    },
    takeAll: (wanted) => limits.take(wanted),
    lease: (name, ttlMs) => lease(link, leases, name, ttlMs),
    async publish(channel, message) {
      await link.opened;
      // Sent or not sent: a message that Redis may have passed on already is not given to our own listeners again.
      if (link.isUsable) await link.ask((redis) => redis.publish(nameInRedis(channel), message));
      else topics.emit(channel, message);
    },
    subscribe: (channel, listener) => subscriptions.add(channel, listener),
    get connected() {
      return link.isUsable;
    },
    async close() {
      topics.clear();
      await Promise.all([subscriptions.close(), link.close()]);
    },
  };
}

async function lease(link: RedisLink, leases: Leases, name: string, ttlMs: number): Promise<Lease | null> {
  const token = randomUUID();
  const key = `lease:{${name}}`;
  let until = performance.now() + ttlMs;
  const fence = await link.ask((redis) => redis.takeLease(key, `fence:{${name}}`, token, ttlMs));
  if (fence === away) return leases.take(name, ttlMs);
  if (fence === null) return null;
  return {
    fence: BigInt(fence),
    async renew() {
      const askedAt = performance.now();
      const renewed = await link.ask((redis) => redis.renewLease(key, token, ttlMs));
      if (renewed === 1) until = askedAt + ttlMs;
      // Nobody else can have it before it ends, whether we can ask or not.
      return renewed === away ? performance.now() < until : renewed === 1;
    },
    async release() {
      await link.ask((redis) => redis.releaseLease(key, token));
    },
  };
}
