import type { RequestListener } from 'node:http';
import { closeAll, until } from '../../test/gateway-under-test.ts';
import { anna, pine, pricesBehindGateway } from '../../test/prices-under-test.ts';

afterEach(closeAll);

describe('a failing service', () => {
  it.each([
    ['answers 500', (res: Parameters<RequestListener>[1]) => res.writeHead(500).end()],
    ['breaks off', (res: Parameters<RequestListener>[1]) => res.destroy()],
    [
      'breaks off in the middle',
      (res: Parameters<RequestListener>[1]) => {
        res.writeHead(200, { 'content-length': '10' }).write('half');
        setImmediate(() => res.destroy());
      },
    ],
  ])('is replaced by its cached reply: it %s', async (_, fail) => {
    let isBroken = false;
    const { ask, later } = await pricesBehindGateway((_req, res) => (isBroken ? fail(res) : res.end('good')));
    await ask();
    isBroken = true;
    later(10_000);
    const stale = await ask();
    expect([stale.answer.status, stale.text, stale.cached]).toEqual([200, 'good', 'stale']);
    expect(stale.answer.headers.get('age')).toBe('10');
    later(60_000);
    expect((await ask()).answer.status).toBeGreaterThanOrEqual(500);
  });

  it('is replaced by its cached reply when it is gone and when it is too slow', async () => {
    const hanging: unknown[] = [];
    let hangs = false;
    const { ask, later, gateway } = await pricesBehindGateway((_, res) =>
      hangs ? hanging.push(res) : res.end('good'),
    );
    await ask('/hasty');
    hangs = true;
    later(10_000);
    expect((await ask('/hasty')).cached).toBe('stale');
    expect(hanging).toHaveLength(1);
    gateway.announce();
    expect((await ask('/hasty')).cached).toBe('stale');
    expect((await ask('/hasty?unknown')).answer.status).toBe(503);
  });
});

describe('concurrent identical requests', () => {
  it('make one request, and all get its reply', async () => {
    const held: (() => void)[] = [];
    const { service, ask, gateway } = await pricesBehindGateway((_, res) => held.push(() => res.end('one')));
    const herd = Array.from({ length: 100 }, () => ask());
    const other = ask('/prices', `${pine}.boris.1`);
    const ofHerd = { upstream: 'stock' };
    await until(() => held.length === 2);
    await until(
      async () => (await gateway.measured('gateway_ratelimit_total', { decision: 'allowed' })) === 101,
    );
    for (const end of held) end();
    const answers = await Promise.all(herd);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['one']));
    expect(answers.filter(({ cached }) => cached === 'coalesced')).toHaveLength(99);
    expect((await other).cached).toBe('miss');
    expect(service.requests).toHaveLength(2);
    expect(await gateway.measured('gateway_cache_total', { ...ofHerd, result: 'coalesced' })).toBe(99);
  });

  it('continue when the first client has left', async () => {
    const held: (() => void)[] = [];
    const { service, ask, gateway } = await pricesBehindGateway((_, res) => held.push(() => res.end('one')));
    const leaver = new AbortController();
    const first = ask('/prices', anna, { signal: leaver.signal }).catch(() => 'left');
    await until(() => held.length === 1);
    const second = ask();
    await until(
      async () => (await gateway.measured('gateway_ratelimit_total', { decision: 'allowed' })) === 2,
    );
    leaver.abort();
    expect(await first).toBe('left');
    held[0]!();
    expect((await second).text).toBe('one');
    expect(service.requests).toHaveLength(1);
  });

  it('are sent separately when the shared reply does not come', async () => {
    let asked = 0;
    const { ask } = await pricesBehindGateway((_, res) => void (++asked === 1 || res.end('own')));
    const first = ask('/hasty');
    await until(() => asked === 1);
    const second = await ask('/hasty');
    expect([second.text, second.cached]).toEqual(['own', 'bypass']);
    expect((await first).answer.status).toBe(504);
  });

  it('share its failure, and no cookie', async () => {
    const held: (() => void)[] = [];
    const { ask, gateway, service } = await pricesBehindGateway((req, res) => {
      if (!req.url?.includes('cookie')) held.push(() => res.writeHead(404).end('none'));
      else held.push(() => res.setHeader('set-cookie', `of=${held.length}`).end());
    });
    const allowed = async () => gateway.measured('gateway_ratelimit_total', { decision: 'allowed' });
    const failing = [ask('/prices?absent'), ask('/prices?absent')];
    await until(async () => (await allowed()) === 2 && held.length === 1);
    held.pop()!();
    expect((await Promise.all(failing)).map(({ answer }) => answer.status)).toEqual([404, 404]);
    expect(service.requests).toHaveLength(1);
    const baking = [ask('/prices?cookie'), ask('/prices?cookie')];
    await until(async () => (await allowed()) === 4 && held.length === 1);
    held.pop()!();
    await until(() => held.length === 1);
    held.pop()!();
    expect(new Set((await Promise.all(baking)).map(({ cached }) => cached))).toEqual(
      new Set(['bypass', 'miss']),
    );
  });
});
