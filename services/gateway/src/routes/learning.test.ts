import { endpoint } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import { createApp, handle, noDatabase, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { describedAs, describedUpstream, route } from '../../test/described-service.ts';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  instanceAt,
  stock,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';

afterEach(closeAll);

const swapped = (gateway: GatewayUnderTest, times = 1) =>
  until(async () => (await gateway.measured('gateway_route_table_swaps_total')) >= times);
const get = (gateway: GatewayUnderTest, path: string, session?: string) =>
  fetch(
    `${gateway.url}/api/${path}`,
    session ? { headers: { authorization: `Bearer good-${session}` } } : {},
  );

describe('a service with a route unknown at build time', () => {
  it('is learned when its instance appears, without a restart', async () => {
    const fresh = await describedUpstream(describedAs('2', [route('added', { bodyLimitBytes: 7 })]));
    const gateway = await gatewayTo([]);
    const before = await get(gateway, 'v1/stock/added');
    expect([before.status, fresh.asked()]).toEqual([401, []]); // as every path that nobody describes
    gateway.announce(fresh.instance);
    await swapped(gateway);
    const after = await get(gateway, 'v1/stock/added');
    expect([after.status, await after.text()]).toEqual([200, '2']);
    expect(await gateway.measured('http_requests_total', { route: '/api/v1/stock/added' })).toBe(1);
  });

  it('is documented by its own description', async () => {
    const fresh = await describedUpstream(describedAs('2', [route('added')]));
    const gateway = await gatewayTo([fresh.instance]);
    const summary = async () => {
      const page = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
        paths: Record<string, { get?: { summary: string } }>;
      };
      return page.paths['/api/v1/stock/added']?.get?.summary;
    };
    await until(async () => (await summary()) === '2');
  });

  it('gets the requests of that route while another version lacks it, and only its share of the others', async () => {
    const old = await describedUpstream(describedAs('1', []));
    const fresh = await describedUpstream(describedAs('2', [route('added')]));
    const gateway = await gatewayTo([old.instance, fresh.instance]);
    await until(async () => (await get(gateway, 'v1/stock/added')).status === 200);
    for (let at = 0; at < 20; at++) {
      expect(await (await get(gateway, 'v1/stock/added')).text()).toBe('2');
    }
    const both = await Promise.all(
      Array.from({ length: 20 }, async () => (await get(gateway, 'v1/stock/open')).text()),
    );
    expect(new Set(both)).toEqual(new Set(['1', '2']));
    gateway.announce(old.instance);
    expect((await get(gateway, 'v1/stock/added')).status).toBe(401); // gone with the last that had it
  });

  it('is used only as the last choice until it has described itself', async () => {
    const old = await describedUpstream(describedAs('1', []));
    let speaks = false;
    const silent = await describedUpstream(describedAs('2', []), {
      says: () => (speaks ? describedAs('2', []) : undefined),
    });
    const gateway = await gatewayTo([old.instance]);
    await swapped(gateway);
    gateway.announce(old.instance, silent.instance);
    await until(async () => (await gateway.measured('gateway_route_table_refused_total')) === 1);
    for (let at = 0; at < 10; at++) expect(await (await get(gateway, 'v1/stock/open')).text()).toBe('1');
    gateway.announce(silent.instance);
    expect(await (await get(gateway, 'v1/stock/open')).text()).toBe('2');
    speaks = true;
    gateway.announce(old.instance, silent.instance);
    await until(async () => (await (await get(gateway, 'v1/stock/open')).text()) === '2');
  });

  it('can serve /api/v2 beside /api/v1', async () => {
    const both = await describedUpstream(
      describedAs('2', [{ method: 'GET', path: '/api/v2/stock/things/{id}', access: 'signed-in' }]),
    );
    const gateway = await gatewayTo([both.instance]);
    await swapped(gateway);
    expect((await get(gateway, 'v2/stock/things/7')).status).toBe(401);
    expect((await get(gateway, 'v2/stock/things/7', 'a')).status).toBe(200);
    expect((await get(gateway, 'v1/stock/things/7', 'a')).status).toBe(200);
    expect((await get(gateway, 'v3/stock/things/7', 'a')).status).toBe(404);
    expect(await gateway.measured('http_requests_total', { route: '/api/v2/stock/things/{id}' })).toBe(2);
  });

  it('can require a permission that it declares itself', async () => {
    const added = route('secret', { access: 'stock.secret.read' });
    const fresh = await describedUpstream(describedAs('2', [added], ['stock.secret.read']));
    const gateway = await gatewayTo([fresh.instance]);
    await swapped(gateway);
    expect((await get(gateway, 'v1/stock/secret', 'a')).status).toBe(200);
  });
});

it('descriptions of other gateways and unknown services are ignored', async () => {
  const gateway = await gatewayTo([]);
  for (const service of ['gateway', 'unheard-of']) gateway.announce(instanceAt(1, service));
  expect((await get(gateway, 'v1/unheard-of/things')).status).toBe(404);
  expect((await get(gateway, 'v1/gateway/things')).status).toBe(404);
});

it('deprecated routes are announced by the service, and the gateway counts their callers', async () => {
  const deprecated = { since: '2026-03-01', sunset: '2026-12-31' };
  const service = handle(
    endpoint({ ...stock[0]!, path: '/api/v1/stock/old', deprecated, replies: { 200: z.any() } }),
    async () => reply(200, {}),
  );
  const app = createApp({
    service: 'stock',
    database: noDatabase('stock'),
    verifier: {
      verify: async () => Promise.reject(new Error('nobody asks')),
      verifyService: async () => Promise.reject(new Error('nobody asks')),
    },
    routes: [service],
    clock: () => new Date(),
    metrics: createMetrics('stock'),
    log: createLog({ service: 'stock', level: 'silent' }),
  });
  const one = await upstream(app);
  const gateway = await gatewayTo([one.instance], { contracts: { stock: [service.endpoint] } });
  const { headers } = await get(gateway, 'v1/stock/old');
  expect([headers.get('deprecation'), headers.get('sunset')]).toEqual([
    '@1772323200',
    'Thu, 31 Dec 2026 00:00:00 GMT',
  ]);
  const labels = { method: 'GET', route: '/api/v1/stock/old' };
  expect(await gateway.measured('http_deprecated_requests_total', labels)).toBe(1);
});

describe('two versions that disagree about a route', () => {
  it('are combined to the stricter access and the larger body limit', async () => {
    const open = await describedUpstream(
      describedAs('1', [route('grown', { method: 'POST', bodyLimitBytes: 10 })]),
    );
    const closed = await describedUpstream(
      describedAs('2', [route('grown', { method: 'POST', access: 'signed-in', bodyLimitBytes: 50 })]),
    );
    const gateway = await gatewayTo([open.instance, closed.instance]);
    await swapped(gateway, 2);
    const post = (bytes: number, headers: Record<string, string> = {}) =>
      fetch(`${gateway.url}/api/v1/stock/grown`, { method: 'POST', body: 'x'.repeat(bytes), headers });
    expect((await post(20)).status).toBe(401);
    expect((await post(20, { authorization: 'Bearer good-1' })).status).toBe(200);
    expect((await post(60, { authorization: 'Bearer good-1' })).status).toBe(413);
  });
});

describe('an invalid description', () => {
  const good = [route('added')];
  const twin = [...good, route('things/{other}', { access: 'signed-in' })];
  it.each<[string, unknown]>([
    ['two routes for one request', describedAs('3', twin)],
    ['a path of another service', describedAs('3', [...good, route('../users/me'), route('x')])],
    ['a path inside the house', describedAs('3', [...good, route('internal/x')])],
    ['an undeclared permission', describedAs('3', [...good, route('new', { access: 'stock.new.read' })])],
    ['a permission of another service', describedAs('3', good, ['users.member.read'])],
    ['no access', describedAs('3', [...good, route('new', { access: null })])],
    ['another service', { ...describedAs('3', good), service: 'users' }],
    ['no routes at all', { digest: 'digest-3', service: 'stock' }],
    ['a time without end', describedAs('3', [...good, route('new', { deadlineMs: 1e12 })])],
    ['no JSON', 'x'],
  ])('is refused as a whole and reported, and the earlier table stays: %s', async (_, says) => {
    const well = await describedUpstream(describedAs('1', []));
    const ill = await describedUpstream(describedAs('3', []), { says: () => says });
    const gateway = await gatewayTo([well.instance]);
    await swapped(gateway);
    gateway.announce(well.instance, ill.instance);
    await until(
      async () => (await gateway.measured('gateway_route_table_refused_total', { upstream: 'stock' })) === 1,
    );
    expect((await get(gateway, 'v1/stock/added')).status).not.toBe(200);
    for (let at = 0; at < 6; at++) expect(await (await get(gateway, 'v1/stock/open')).text()).toBe('1');
    const told = gateway.logged.filter(({ message }) => String(message).includes('are refused'));
    expect(told).toMatchObject([{ target: 'stock', instance: ill.instance.id }]);
  });

  it('closes a route that requires an undeclared permission', async () => {
    const ill = await describedUpstream(describedAs('3', [route('new', { access: 'stock.new.read' })]));
    const gateway = await gatewayTo([ill.instance]);
    await until(async () => (await gateway.measured('gateway_route_table_refused_total')) === 1);
    const answer = await get(gateway, 'v1/stock/new', 'administrator');
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { code: 'platform.forbidden', permission: null },
    ]);
    expect((await get(gateway, 'v1/stock/open')).status).toBe(200);
    expect(ill.asked()).toEqual(['/api/v1/stock/open']);
  });
});

describe('a gateway built with a mistake', () => {
  const built = (access: unknown) => [
    { ...stock[0]!, path: '/api/v1/stock/built', access: access as 'public' },
  ];
  it.each([
    [
      'an undeclared permission',
      { name: 'stock.thing.read', text: { en: '', ru: '' } },
      'an undeclared permission',
    ],
    ['no access', undefined, 'declares no access'],
  ])('does not start: %s', async (_, access, message) => {
    await expect(gatewayTo([], { contracts: { stock: built(access) } })).rejects.toThrow(message);
  });
});
