import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@marimo/observability';
import {
  type FaultProxy,
  faultProxy,
  type PrivateRedis,
  requireInfra,
  startRedis,
} from '@marimo/testing/outside';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { type BucketAnswer, type Cache, redisCache } from './index.ts';
import { parseAddress } from './redis-link.ts';

requireInfra('redis-server')('several processes with one Redis', () => {
  let redis: PrivateRedis;
  let network: FaultProxy;
  const open: Cache[] = [];
  const metrics = createMetrics('test');
  const minute = { ttlMs: 60_000, tags: ['t'] };

  beforeEach(async () => {
    redis = await startRedis();
    network = await faultProxy({ target: redis.address });
  });
  afterEach(async () => {
    for (const cache of open.splice(0)) await cache.close();
    await network.close();
    await redis.stop();
  });

  /** A busy machine is not an outage: only who tests one gives up as soon as in production. */
  async function client({ address = redis.address, shares = 1, timeoutMs = 5_000 } = {}): Promise<Cache> {
    const log = createLog({ service: 'test', level: 'silent' });
    const cache = redisCache({ address, password: undefined, log, metrics, shares: () => shares, timeoutMs });
    open.push(cache);
    await until(() => cache.connected);
    return cache;
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + 15_000;
    while (!(await condition())) {
      if (performance.now() > giveUpAt) throw new Error('it did not happen');
      await sleep(10);
    }
  }

  it('share what one of them loaded and what one of them dropped', async () => {
    const [a, b] = [await client(), await client()];
    expect(await a.wrap('k', minute, async () => 'a')).toBe('a');
    expect(await b.wrap('k', minute, async () => 'b')).toBe('a');
    await b.drop('k');
    expect(await a.wrap('k', minute, async () => 'a2')).toBe('a2');
    await a.dropTag('t');
    expect(await b.wrap('k', minute, async () => 'b2')).toBe('b2');
  });

  it('never admit more together than burst and refill, however they mix', async () => {
    const clients = await Promise.all([client(), client(), client()]);
    let runs = 0;
    const limits = fc.record({
      perSecond: fc.integer({ min: 1, max: 500 }),
      burst: fc.integer({ min: 1, max: 50 }),
      takes: fc.array(
        fc.record({
          by: fc.nat({ max: 2 }),
          tokens: fc.integer({ min: 1, max: 3 }),
          afterMs: fc.nat({ max: 3 }),
        }),
        { minLength: 20, maxLength: 150 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(limits, async ({ perSecond, burst, takes }) => {
        const bucket = `property-${runs++}`;
        const startedAt = performance.now();
        const answers = await Promise.all(
          takes.map(async ({ by, tokens, afterMs }) => {
            await sleep(afterMs);
            const wide = { bucket: `${bucket}-wide`, limit: { perSecond, burst: burst * 2 } };
            const narrow = { bucket, limit: { perSecond, burst }, tokens };
            const answer = await clients[by]!.takeAll([wide, narrow]);
            expect(answer.decidedBy).toBe('shared');
            return answer.allowed ? tokens : 0;
          }),
        );
        const seconds = (performance.now() - startedAt) / 1_000;
        const admitted = answers.reduce((sum, tokens) => sum + tokens, 0);
        expect(admitted).toBeLessThanOrEqual(burst + perSecond * seconds + 1e-6);
        const unused = clients.length * Math.floor(burst / 20); // in advance, by those who ask no more
        expect(admitted).toBeGreaterThanOrEqual(Math.min(burst - 2 - unused, takes.length));
      }),
      { numRuns: 30 },
    );
  });

  it('answer requests of one moment in one round trip, each as if it had come alone', async () => {
    const cache = await client();
    await cache.take('first', { perSecond: 1, burst: 1 }); // brings the script
    const wide = { bucket: 'wide', limit: { perSecond: 1 / 3_600, burst: 4 } };
    const narrow = (of: string) => ({ bucket: of, limit: { perSecond: 1 / 3_600, burst: 2 } });
    const before = await scriptsRun(redis.address);
    const answers = await Promise.all(
      ['a', 'a', 'a', 'b', 'b', 'b'].map((of) => cache.takeAll([narrow(of), wide])),
    );
    expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, false, true, true, false]);
    expect(answers.map(({ buckets }) => buckets.map(({ remaining }) => remaining))).toEqual([
      [1, 3],
      [0, 2],
      [0, 2],
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
    expect(await scriptsRun(redis.address)).toBe(before + 1);
  });

  it('make far fewer round trips than requests where the limit is far away', async () => {
    const [one, other] = [await client({ shares: 2 }), await client({ shares: 2 })];
    const before = await scriptsRun(redis.address);
    for (let n = 0; n < 200; n++) {
      const { decidedBy } = await (n % 2 === 0 ? one : other).take('flock', {
        perSecond: 1_000,
        burst: 20_000,
      });
      expect(decidedBy).toBe('shared');
    }
    expect((await scriptsRun(redis.address)) - before).toBeLessThan(150);
  });

  it('give a lease to one of them', async () => {
    const clients = await Promise.all([client(), client(), client()]);
    const leases = await Promise.all(clients.map((one) => one.lease('job', 60_000)));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });

  it('hear each other’s messages, again by themselves after the connection broke', async () => {
    const [speaker, listener] = [await client(), await client({ address: network.address })];
    const heard: string[] = [];
    await listener.subscribe('news', (message) => heard.push(message));
    await speaker.publish('news', '1');
    await until(() => heard.length === 1);
    await network.set('reset');
    await network.set('none');
    await until(async () => {
      await speaker.publish('news', '2');
      return heard.includes('2');
    });
  });

  it('notice that the connection they listen on died without a word', async () => {
    const [speaker, listener] = [await client(), await client({ address: network.address, timeoutMs: 100 })];
    const heard: string[] = [];
    await listener.subscribe('news', (message) => heard.push(message));
    const before = network.accepted;
    await network.set('blackhole');
    await until(() => network.accepted >= before + 2);
    await network.set('none');
    await until(async () => {
      await speaker.publish('news', 'back');
      return heard.includes('back');
    });
  });

  it('forget nothing they owe: what was dropped while Redis was cut off is gone when it is back', async () => {
    const [near, far] = [await client(), await client({ address: network.address })];
    await near.wrap('k', minute, async () => 'old');
    await near.wrap('tagged', minute, async () => 'old');
    await network.set('refuse');
    await far.drop('k');
    await far.dropTag('t');
    await network.set('none');
    await until(() => far.connected);
    expect(await near.wrap('k', minute, async () => 'new')).toBe('new');
    expect(await near.wrap('tagged', minute, async () => 'new')).toBe('new');
  });

  it('do not read again from a Redis that refused a drop before it has accepted it', async () => {
    const cache = await client();
    await cache.wrap('k', minute, async () => 'old');
    await tell(redis.address, 'CONFIG SET maxmemory 1'); // it still reads, and refuses to write
    await cache.drop('k');
    expect(await cache.wrap('k', minute, async () => 'loaded')).toBe('loaded');
    await tell(redis.address, 'CONFIG SET maxmemory 0');
    await until(() => cache.connected);
    expect(await cache.wrap('k', minute, async () => 'new')).toBe('new');
  });

  describe('when Redis goes away in the middle', () => {
    const ways: [string, () => unknown][] = [
      ['it is killed', () => redis.kill()],
      ['it hangs', () => redis.pause()],
      ['its answers are lost', () => network.set('drop replies')],
      ['it is too slow', () => network.set({ delayMs: 100 })],
    ];
    it.each(ways)('nothing fails and nothing waits long: %s', async (_way, goAway) => {
      const cache = await client({ address: network.address, shares: 4, timeoutMs: 100 });
      const limit = { perSecond: 1 / 60, burst: 8 };
      expect(await cache.take('b', limit)).toMatchObject({ decidedBy: 'shared' });
      await goAway();
      const startedAt = performance.now();
      const answers: BucketAnswer[] = [];
      for (let i = 0; i < 2_000; i++) answers.push(await cache.take('b', limit));
      // 100 ms for each would be 200 s.
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      expect(answers.every(({ decidedBy }) => decidedBy === 'local')).toBe(true);
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(1); // of the 7 that were left, for one of four
      let loads = 0;
      for (let i = 0; i < 3; i++) expect(await cache.wrap('k', minute, async () => ++loads)).toBe(i + 1);
      await cache.dropTag('t');
      const lease = await cache.lease('job', 60_000);
      expect(await cache.lease('job', 60_000)).toBeNull();
      expect(await lease!.renew()).toBe(true);
      await lease!.release();
      await cache.publish('news', '1');
      await until(() => !cache.connected);
      expect(await metrics.render()).toMatch(/cache_store_up\{.*\} 0/);
    });

    it('an outage is no second burst, neither when it begins nor when it ends', async () => {
      const both = [await client({ shares: 2 }), await client({ shares: 2 })];
      const limit = { perSecond: 1 / 3_600, burst: 40 };
      const takeFromBoth = async (times: number) => {
        let allowed = 0;
        for (let turn = 0; turn < times; turn++) {
          const answers = await Promise.all(both.map((one) => one.take('peak', limit)));
          allowed += answers.filter((answer) => answer.allowed).length;
        }
        return allowed;
      };
      let admitted = await takeFromBoth(10);
      await redis.kill();
      await until(() => both.every(({ connected }) => !connected));
      admitted += await takeFromBoth(5);
      await redis.restart(); // it is empty
      await until(() => both.every(({ connected }) => connected));
      admitted += await takeFromBoth(50);
      expect(admitted).toBeGreaterThanOrEqual(30);
      expect(admitted).toBeLessThanOrEqual(42); // each knows the level as of its own last answer
    });

    it('a held lease counts as held only until it would have ended', async () => {
      const cache = await client();
      const lease = await cache.lease('job', 500);
      await redis.kill();
      expect(await lease!.renew()).toBe(true);
      await sleep(600);
      expect(await lease!.renew()).toBe(false);
    });

    it('messages still reach the listeners of the same process', async () => {
      const cache = await client();
      const heard: string[] = [];
      await cache.subscribe('news', (message) => heard.push(message));
      await redis.kill();
      await until(() => !cache.connected);
      await cache.publish('news', 'at home');
      expect(heard).toEqual(['at home']);
    });

    it('the shared limit counts again when it is back, and fences go on growing though it forgot them', async () => {
      const cache = await client();
      const before = await cache.lease('job', 60_000);
      await redis.kill();
      expect(await cache.take('b', { perSecond: 1, burst: 1 })).toMatchObject({ decidedBy: 'local' });
      await redis.restart();
      await until(async () => (await cache.take('b', { perSecond: 1, burst: 1 })).decidedBy === 'shared');
      const after = await cache.lease('job', 60_000);
      expect(after!.fence).toBeGreaterThan(before!.fence);
      expect(await metrics.render()).toMatch(/cache_store_up\{.*\} 1/);
    });
  });
});

async function scriptsRun(address: string): Promise<number> {
  const asking = new Redis(parseAddress(address, undefined));
  try {
    return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(await asking.info('commandstats'))?.[1] ?? 0);
  } finally {
    asking.disconnect();
  }
}

async function tell(address: string, command: string): Promise<void> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  socket.write(`${command}\r\n`);
  expect(String(await once(socket, 'data'))).toBe('+OK\r\n');
  socket.destroy();
}

it('starts without Redis and answers by itself', async () => {
  const log = createLog({ service: 'test', level: 'silent' });
  const cache = redisCache({
    address: '127.0.0.1:1',
    password: undefined,
    log,
    metrics: createMetrics('test'),
  });
  expect(await cache.wrap('k', { ttlMs: 1_000 }, async () => 1)).toBe(1);
  expect(await cache.take('b', { perSecond: 1, burst: 1 })).toMatchObject({
    allowed: true,
    decidedBy: 'local',
  });
  await cache.close();
});

it.each([
  ['cache:6379', undefined, { host: 'cache', port: 6379, db: 0 }],
  ['cache', 'secret', { host: 'cache', port: 6379, db: 0, password: 'secret' }],
  ['[::1]:7000', undefined, { host: '::1', port: 7000, db: 0 }],
  [
    'rediss://erp:p%40ss@cache.example:6380/2',
    undefined,
    {
      host: 'cache.example',
      port: 6380,
      db: 2,
      username: 'erp',
      password: 'p@ss',
      tls: { servername: 'cache.example' },
    },
  ],
])('understands the address %s', (address, password, expected) => {
  expect(parseAddress(address, password)).toEqual(expected);
});
