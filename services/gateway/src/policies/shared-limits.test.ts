import { setTimeout as sleep } from 'node:timers/promises';
import { type Cache, redisCache } from '@marimo/cache';
import { createLog, createMetrics } from '@marimo/observability';
import { type PrivateRedis, requireInfra, startRedis } from '@marimo/testing/outside';
import { closeAll, gatewayTo, until, upstream } from '../../test/gateway-under-test.ts';

requireInfra('redis-server')('two gateways that share their limits over Redis', () => {
  const perSecond = 20;
  const burst = 40;
  const limit = { RATE_LIMIT_CALLER: `${perSecond}/s,burst=${burst}` };
  const caches: Cache[] = [];
  let redis: PrivateRedis;

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await closeAll();
    for (const cache of caches.splice(0)) await cache.close();
    await redis.stop();
  });

  async function gateways(timeoutMs: number) {
    const stock = await upstream((_, res) => res.end());
    const started = [1, 2].map(async () => {
      const cache = redisCache({
        address: redis.address,
        password: undefined,
        log: createLog({ service: 'gateway', level: 'silent' }),
        metrics: createMetrics('gateway'),
        shares: () => 2,
        timeoutMs,
      });
      caches.push(cache);
      await until(() => cache.connected);
      return gatewayTo([stock.instance], { cache, env: limit });
    });
    return Promise.all(started);
  }

  /** What the limit allows within so many milliseconds, beginning with all of the burst. */
  const allowedWithin = (ms: number) => burst + (perSecond * ms) / 1_000;

  /**
   * Many clients of one session ask both gateways as fast as they can. While none has come yet, or none comes any more,
   * a full bucket gains nothing: from the first answer to the last question they surely could have had their tokens.
   */
  async function rush(urls: readonly string[], isOver: () => boolean) {
    const statuses = new Map<number, number>();
    const startedAt = performance.now();
    let [firstAnsweredAt, lastAskedAt] = [Number.POSITIVE_INFINITY, 0];
    const client = async (url: string) => {
      while (!isOver()) {
        lastAskedAt = performance.now();
        const answer = await fetch(`${url}/api/v1/stock/things/1`, {
          headers: { authorization: 'Bearer good-one' },
        });
        await answer.arrayBuffer();
        firstAnsweredAt = Math.min(firstAnsweredAt, performance.now());
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    };
    await Promise.all(urls.flatMap((url) => [client(url), client(url), client(url)]));
    return {
      statuses,
      admitted: statuses.get(200) ?? 0,
      atMost: allowedWithin(performance.now() - startedAt),
      atLeast: allowedWithin(lastAskedAt - firstAnsweredAt),
    };
  }

  it('together admit what one limit admits', async () => {
    const two = await gateways(5_000); // a busy machine is not an outage
    let asked = 0;
    const { admitted, atMost, atLeast } = await rush(
      two.map(({ url }) => url),
      () => ++asked > 600,
    );
    expect(admitted).toBeLessThanOrEqual(Math.ceil(atMost * 1.05));
    expect(admitted).toBeGreaterThanOrEqual(Math.floor(atLeast * 0.95));
  });

  it('cause no refusal when Redis is killed at the peak, and keep the limit before, during and after', async () => {
    const two = await gateways(100);
    let phase = 'before';
    const rushing = rush(
      two.map(({ url }) => url),
      () => phase === 'over',
    );
    const decided = async (backend: string) => {
      const counts = two.map((one) => one.measured('gateway_ratelimit_total', { backend }));
      return (await Promise.all(counts)).every((count) => count >= 150);
    };
    await until(() => decided('shared'));
    await redis.kill();
    await until(() => decided('local'));
    await redis.restart();
    await until(() => caches.every(({ connected }) => connected));
    await sleep(500);
    phase = 'over';
    const { statuses, admitted, atMost, atLeast } = await rushing;
    expect(new Set(statuses.keys())).toEqual(new Set([200, 429]));
    expect(admitted).toBeLessThanOrEqual(atMost * 1.2);
    expect(admitted).toBeGreaterThanOrEqual(atLeast * 0.6);
  });
});
