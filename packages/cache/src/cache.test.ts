import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@marimo/observability';
import { type PrivateRedis, requireInfra, startRedis } from '@marimo/testing/outside';
import { type Cache, memoryCache, redisCache } from './index.ts';

const log = createLog({ service: 'test', level: 'silent' });

/** What the platform relies on, whichever store it runs with. */
function conformance(open: () => Promise<Cache>): void {
  let cache: Cache;
  let places = 0;
  let place: string; // a key, tag, bucket, lease or channel that no other test uses
  beforeAll(async () => {
    cache = await open();
  });
  beforeEach(() => {
    place = `place-${places++}`;
  });
  afterAll(() => cache.close());

  const minute = { ttlMs: 60_000 };
  /** Loads 1, then 2, and so on. */
  const counting = () => {
    let loads = 0;
    return async () => ++loads;
  };

  describe('cached answers', () => {
    it('loads once and answers from then on, each key for itself', async () => {
      const load = counting();
      expect([await cache.wrap(place, minute, load), await cache.wrap(place, minute, load)]).toEqual([1, 1]);
      expect(await cache.wrap(`${place}-other`, minute, load)).toBe(2);
    });

    it('gives every caller a value of its own, in the shape of JSON', async () => {
      const load = async () => ({ on: new Date(0), list: [1] });
      const first = await cache.wrap(place, minute, load);
      first.list.push(2);
      expect(await cache.wrap(place, minute, load)).toEqual({ on: '1970-01-01T00:00:00.000Z', list: [1] });
      expect(first.on).toBe('1970-01-01T00:00:00.000Z');
    });

    it('keeps null, and does not keep undefined', async () => {
      const nothings = [null, undefined];
      const seen: unknown[] = [];
      for (const nothing of nothings) {
        const load = async () => {
          seen.push(nothing);
          return nothing;
        };
        const key = `${place}-${nothing}`;
        expect([await cache.wrap(key, minute, load), await cache.wrap(key, minute, load)]).toEqual([
          nothing,
          nothing,
        ]);
      }
      expect(seen).toEqual([null, undefined, undefined]);
    });

    it('lets callers of one key share one load', async () => {
      const load = counting();
      const slow = async () => {
        await sleep(20);
        return load();
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => cache.wrap(place, minute, slow)));
      expect(new Set(answers)).toEqual(new Set([1]));
    });

    it('tells a failed load to all who shared it and keeps nothing', async () => {
      const failing = async () => {
        await sleep(10);
        throw new Error('no answer');
      };
      const answers = await Promise.allSettled([1, 2].map(() => cache.wrap(place, minute, failing)));
      expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(await cache.wrap(place, minute, counting())).toBe(1);
    });

    it('loads anew when the time of a value is over', async () => {
      const load = counting();
      await cache.wrap(place, { ttlMs: 40 }, load);
      await sleep(80);
      expect(await cache.wrap(place, { ttlMs: 40 }, load)).toBe(2);
    });

    it('loads anew what was dropped by its key', async () => {
      const load = counting();
      await cache.wrap(place, minute, load);
      await cache.drop(place);
      expect([await cache.wrap(place, minute, load), await cache.wrap(place, minute, load)]).toEqual([2, 2]);
    });

    it('drops by a tag everything that carries it and nothing else', async () => {
      const [tenant, role] = [`${place}:tenant`, `${place}:role`];
      const load = { both: counting(), one: counting(), none: counting() };
      const look = async () => [
        await cache.wrap(`${place}-both`, { ...minute, tags: [tenant, role] }, load.both),
        await cache.wrap(`${place}-one`, { ...minute, tags: [tenant] }, load.one),
        await cache.wrap(`${place}-none`, minute, load.none),
      ];
      expect(await look()).toEqual([1, 1, 1]);
      await cache.dropTag(role);
      expect(await look()).toEqual([2, 1, 1]);
      await cache.dropTag(tenant);
      expect(await look()).toEqual([3, 2, 1]);
    });

    it.each(['key', 'tag'])(
      'neither keeps nor hands on a load that began before a drop by %s',
      async (by) => {
        const options = { ...minute, tags: [`${place}:tag`] };
        const load = Promise.withResolvers<string>();
        const began = Promise.withResolvers<void>();
        const before = cache.wrap(place, options, () => {
          began.resolve();
          return load.promise;
        });
        await began.promise;
        await (by === 'key' ? cache.drop(place) : cache.dropTag(`${place}:tag`));
        expect(await cache.wrap(place, options, async () => 'new')).toBe('new');
        load.resolve('old');
        expect(await before).toBe('old');
        expect(await cache.wrap(place, options, async () => 'newer')).not.toBe('old');
      },
    );
  });

  describe('limits', () => {
    const perMinute = { perSecond: 1 / 60, burst: 3 };

    it('allows the burst, then refuses and says when to come again', async () => {
      const answers = [];
      for (let i = 0; i < 4; i++) answers.push(await cache.take(place, perMinute));
      expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
      expect(answers.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
      expect(answers[0]!.retryAfterMs).toBe(0);
      expect(answers[3]!.retryAfterMs).toBeGreaterThan(50_000);
      expect(answers[3]!.retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(answers[3]!.decidedBy).toBe('shared');
    });

    it('fills again over time and never above the burst', async () => {
      const quick = { perSecond: 100, burst: 2 };
      await cache.take(place, quick, 2);
      await sleep(200);
      expect(await cache.take(place, quick)).toMatchObject({ allowed: true, remaining: 1 });
    });

    it('takes several at once or none', async () => {
      expect(await cache.take(place, perMinute, 2)).toMatchObject({ allowed: true, remaining: 1 });
      expect(await cache.take(place, perMinute, 2)).toMatchObject({ allowed: false, remaining: 1 });
      expect(await cache.take(place, perMinute, 1)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('takes from several buckets or from none, so that who is refused by one does not use up the other', async () => {
      const narrow = { bucket: `${place}-narrow`, limit: { perSecond: 1 / 60, burst: 1 } };
      const wide = { bucket: `${place}-wide`, limit: perMinute };
      const [first, ...refused] = [
        await cache.takeAll([narrow, wide]),
        await cache.takeAll([narrow, wide]),
        await cache.takeAll([wide, narrow]),
      ];
      expect(first).toMatchObject({ allowed: true, decidedBy: 'shared' });
      expect(first!.buckets.map(({ remaining }) => remaining)).toEqual([0, 2]);
      expect(refused.map(({ allowed }) => allowed)).toEqual([false, false]);
      expect(refused[1]!.buckets.map(({ remaining }) => remaining)).toEqual([2, 0]);
      expect(refused[1]!.buckets[0]!.retryAfterMs).toBe(0);
      expect(refused[1]!.buckets[1]!.retryAfterMs).toBeGreaterThan(50_000);
      expect(await cache.take(wide.bucket, wide.limit)).toMatchObject({ allowed: true, remaining: 1 });
    });

    it('takes as many from each bucket as it was told, also when many ask at once', async () => {
      const limit = { perSecond: 1 / 3_600, burst: 20 };
      const buckets = [
        { bucket: `${place}-a`, limit, tokens: 2 },
        { bucket: `${place}-b`, limit },
      ];
      const answers = await Promise.all(Array.from({ length: 30 }, () => cache.takeAll(buckets)));
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(10);
      expect(await cache.take(`${place}-a`, limit)).toMatchObject({ allowed: false, remaining: 0 });
      expect(await cache.take(`${place}-b`, limit, 10)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('takes back what was given, and no bucket is ever fuller than full', async () => {
      const limit = { perSecond: 1 / 3_600, burst: 3 };
      await cache.take(place, limit, 2);
      expect(await cache.take(place, limit, -1)).toMatchObject({ allowed: true, remaining: 2 });
      for (let n = 0; n < 5; n += 1) await cache.take(place, limit, -1);
      expect(await cache.take(place, limit, 4)).toMatchObject({ allowed: false });
      expect(await cache.take(place, limit, 3)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('counts each bucket for itself', async () => {
      await cache.take(place, perMinute, 3);
      expect(await cache.take(`${place}-other`, perMinute)).toMatchObject({ allowed: true, remaining: 2 });
    });
  });

  describe('leases', () => {
    it('are held by one at a time, and each holder has a greater fence', async () => {
      const first = await cache.lease(place, 60_000);
      expect(await cache.lease(place, 60_000)).toBeNull();
      await first!.release();
      const second = await cache.lease(place, 60_000);
      expect(second!.fence).toBeGreaterThan(first!.fence);
      await second!.release();
      const third = await cache.lease(place, 60_000);
      expect(third!.fence).toBeGreaterThan(second!.fence);
    });

    it('end by themselves, and the late holder neither renews nor frees what is another’s', async () => {
      const late = await cache.lease(place, 40);
      await sleep(80);
      const next = await cache.lease(place, 60_000);
      expect(await late!.renew()).toBe(false);
      await late!.release();
      expect(await next!.renew()).toBe(true);
      expect(await cache.lease(place, 60_000)).toBeNull();
    });

    it('live on while they are renewed', async () => {
      const lease = await cache.lease(place, 1_500);
      for (let i = 0; i < 3; i++) {
        await sleep(600);
        expect(await lease!.renew()).toBe(true);
      }
      expect(await cache.lease(place, 1_500)).toBeNull();
    });
  });

  describe('messages', () => {
    it('reach every listener of the channel, also after one of them failed, and nobody who left', async () => {
      const heard: string[] = [];
      await cache.subscribe(place, () => {
        throw new Error('a listener of no use');
      });
      await cache.subscribe(place, (message) => heard.push(`a:${message}`));
      const leave = await cache.subscribe(place, (message) => heard.push(`b:${message}`));
      await cache.subscribe(`${place}-other`, (message) => heard.push(`other:${message}`));
      await cache.publish(place, '1');
      for (let i = 0; i < 200 && heard.length < 2; i++) await sleep(5);
      leave();
      await cache.publish(place, '2');
      for (let i = 0; i < 200 && heard.length < 3; i++) await sleep(5);
      expect(heard).toEqual(['a:1', 'b:1', 'a:2']);
    });
  });

  it('works on after it was closed, as nothing may depend on it', async () => {
    const closed = await open();
    await closed.close();
    expect(await closed.wrap(place, minute, counting())).toBe(1);
    expect(await closed.take(place, { perSecond: 1, burst: 1 })).toMatchObject({ allowed: true });
    await closed.drop(place);
    await closed.dropTag(place);
    await closed.publish(place, 'message');
    (await closed.subscribe(place, () => undefined))();
    await (await closed.lease(`${place}-closed`, 1_000))?.release();
  });
}

describe('the cache in memory', () => {
  conformance(async () => memoryCache({ log }));

  it('keeps what it must forget to the clock it was given', async () => {
    let now = 0;
    const cache = memoryCache({ clock: () => now });
    const load = async () => now;
    await cache.wrap('k', { ttlMs: 1_000 }, load);
    now = 999;
    expect(await cache.wrap('k', { ttlMs: 1_000 }, load)).toBe(0);
    now = 1_000;
    expect(await cache.wrap('k', { ttlMs: 1_000 }, load)).toBe(1_000);
  });

  it('does not bring back a dropped value when it can no longer remember every drop', async () => {
    const cache = memoryCache();
    await cache.wrap('k', { ttlMs: 60_000, tags: ['t'] }, async () => 'old');
    await cache.dropTag('t');
    for (let i = 0; i < 100_000; i++) await cache.dropTag(`other-${i}`);
    expect(await cache.wrap('k', { ttlMs: 60_000, tags: ['t'] }, async () => 'new')).toBe('new');
  });
});

requireInfra('redis-server')('the cache in Redis', () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startRedis({ password: 'of this test' });
  });
  afterAll(() => redis.stop());

  conformance(async () =>
    redisCache({
      address: redis.address,
      password: 'of this test',
      log,
      metrics: createMetrics('test'),
      timeoutMs: 5_000, // a busy machine is not an outage
    }),
  );
});
