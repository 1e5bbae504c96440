import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { endpointsByService as contracts } from '@marimo/contracts/all';
import { refusal } from '@marimo/problems';
import { z } from 'zod';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  instanceAt,
  raw,
  stock,
  upstream,
} from '../../test/gateway-under-test.ts';
import { mergedOpenApi, pageOf } from './openapi.ts';

afterEach(closeAll);

const wellService = (service = 'stock', ready = () => true) =>
  upstream((req, res) => res.writeHead(req.url !== '/ready' || ready() ? 200 : 503).end('{}'), service);
const page = (gateway: GatewayUnderTest, path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers });

describe('/ready', () => {
  it('is 200 once every service has an instance that can serve', async () => {
    let ready = false;
    const one = await wellService('stock', () => ready);
    const gateway = await gatewayTo([one.instance]);
    const early = await page(gateway, '/ready');
    expect(early.status).toBe(503);
    expect(await early.json()).toMatchObject({ code: 'gateway.platform-not-ready', missing: ['stock'] });
    ready = true;
    await new Promise((resolve) => setTimeout(resolve, 600)); // what it saw is kept for half a second
    const late = await page(gateway, '/ready');
    expect([late.status, await late.json()]).toEqual([
      200,
      { status: 'ready', discovery: 'registry', keptRoutes: [] },
    ]);
  });

  it('names a service that is not registered, and one that cannot be reached', async () => {
    const users: readonly AnyEndpoint[] = [];
    const gateway = await gatewayTo([instanceAt(1, 'users')], { contracts: { stock, users } });
    const answer = await page(gateway, '/ready');
    expect(await answer.json()).toMatchObject({ missing: ['stock', 'users'] });
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  it('waits only for the expected services', async () => {
    const one = await wellService();
    const given = { contracts: { stock, users: [] }, env: { GATEWAY_EXPECTS: 'stock' } };
    expect((await page(await gatewayTo([one.instance], given), '/ready')).status).toBe(200);
  });

  it('needs one instance of several', async () => {
    const one = await wellService();
    expect((await page(await gatewayTo([instanceAt(1), one.instance]), '/ready')).status).toBe(200);
  });

  it('asks the instances at most twice a second, however often it is called', async () => {
    const one = await wellService();
    const gateway = await gatewayTo([one.instance]);
    const begunAt = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => page(gateway, '/ready')));
    const looks = 1 + Math.ceil((performance.now() - begunAt) / 500);
    expect(one.requests.length).toBeLessThanOrEqual(2 * looks); // each look asks for /health and /ready
  });

  it('is refused while the gateway drains', async () => {
    const one = await wellService();
    const gateway = await gatewayTo([one.instance]);
    gateway.drain();
    const answer = await page(gateway, '/ready');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('connection')).toBe('close');
  });
});

describe('/health', () => {
  it('shows the state of every service, and no address', async () => {
    const [well, unwell] = [await wellService(), await wellService('stock', () => false)];
    const gateway = await gatewayTo([well.instance, unwell.instance, instanceAt(1)]);
    const answer = await page(gateway, '/health');
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(JSON.parse(text)).toEqual({
      status: 'ok',
      services: { stock: { instances: 3, alive: 2, ready: 1, shutOff: 0 } },
      discoveryAgeSeconds: 0,
    });
    expect(text).not.toMatch(/127\.0\.0\.1/);
  });

  it('is degraded and still 200 without services, because the gateway itself works', async () => {
    const answer = await page(await gatewayTo([]), '/health');
    expect([answer.status, ((await answer.json()) as { status: string }).status]).toEqual([200, 'degraded']);
  });

  it('shows an instance whose breaker is open', async () => {
    const failing = await upstream((req, res) =>
      res.writeHead(req.url?.startsWith('/api') ? 500 : 200).end(),
    );
    const gateway = await gatewayTo([failing.instance]);
    for (let at = 0; at < 5; at++) await page(gateway, '/api/v1/stock/open');
    expect(await (await page(gateway, '/health')).json()).toMatchObject({
      status: 'degraded',
      services: { stock: { ready: 1, shutOff: 1 } },
    });
  });
});

describe('the API documentation', () => {
  it('is one page for all services, without internal endpoints', async () => {
    const gateway = await gatewayTo([], { contracts });
    const { paths, info, components } = (await (await page(gateway, '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { tags: string[] }>>;
      info: object;
      components: { schemas: object };
    };
    expect(info).toEqual({ title: 'Marimo ERP', version: '1.2.3' });
    const expected = Object.values(contracts)
      .flat()
      .map((one) => one.path)
      .filter((path) => !path.startsWith('/internal/'));
    expect(Object.keys(paths).sort()).toEqual([...new Set([...expected, '/health', '/ready'])].sort());
    expect(paths['/api/v1/users/login']!['post']!.tags).toEqual(['users: login']);
    expect(components.schemas).toHaveProperty(['gateway.platform-not-ready']);
  });

  it('is served locally, with nothing from elsewhere and no script in the page', async () => {
    const gateway = await gatewayTo([]);
    const docs = await page(gateway, '/docs');
    const html = await docs.text();
    expect(docs.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/);
    expect(html).not.toMatch(/https?:|<script>/);
    const linked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(linked.length).toBeGreaterThanOrEqual(3);
    for (const path of linked) {
      const file = await page(gateway, path);
      expect([path, file.status]).toEqual([path, 200]);
      await file.arrayBuffer();
    }
  });

  const replies = { 200: z.null() };
  const at = (path: string, more: Partial<AnyEndpoint> = {}): AnyEndpoint =>
    endpoint({ method: 'GET', path, summary: '', access: 'public', replies, ...more });

  const pages = (contracts: Record<string, readonly AnyEndpoint[]>) =>
    new Map(Object.entries(contracts).map(([service, of]) => [service, pageOf(service, of, '1')] as const));

  it('names an operation once: the first service keeps it, and the other is reported', () => {
    const both = { b: [at('/api/v1/a/x', { summary: 'of b' })], a: [at('/api/v1/a/x', { summary: 'of a' })] };
    const { page, conflicts } = mergedOpenApi(pages(both), '1');
    expect(conflicts).toEqual(['GET /api/v1/a/x of b is described before']);
    expect(page).toMatchObject({ paths: { '/api/v1/a/x': { get: { summary: 'of a' } } } });
  });

  const closed = (facts: z.ZodType<object>) => {
    const declared = { code: 'shop.closed', kind: 'refused', title: 'Closed', detail: () => '' } as const;
    return { refusals: [class Closed extends refusal(facts, declared) {}] };
  };
  const described = (a: z.ZodType<object>, b: z.ZodType<object>) =>
    pages({ a: [at('/api/v1/a/x', closed(a))], b: [at('/api/v1/b/x', closed(b))] });

  it('renames a schema whose name has another meaning in another service, and refers to the right one', () => {
    const same = described(z.object({ until: z.string() }), z.object({ until: z.string() }));
    expect(mergedOpenApi(same, '1').conflicts).toEqual([]);
    const other = described(z.object({ until: z.string() }), z.object({ since: z.string() }));
    const merged = mergedOpenApi(other, '1');
    expect(merged.conflicts).toEqual([
      'schemas/shop.closed of b differs from the one before; it is called b.shop.closed',
    ]);
    expect(mergedOpenApi(new Map([...other].reverse()), '1')).toEqual(merged);
    const { paths, components } = merged.page as {
      paths: Record<string, object>;
      components: { schemas: Record<string, object> };
    };
    expect(JSON.stringify(paths['/api/v1/a/x'])).toContain('"#/components/schemas/shop.closed"');
    expect(JSON.stringify(paths['/api/v1/b/x'])).toContain('"#/components/schemas/b.shop.closed"');
    expect(JSON.stringify(components.schemas['b.shop.closed'])).toContain('since');
  });

  it('leaves out and reports a service without a readable description', () => {
    const { conflicts } = mergedOpenApi(new Map([['a', { paths: [] }]]), '1');
    expect(conflicts).toEqual(['a shows no OpenAPI page that can be read']);
  });

  it('stops the start if contracts contradict each other', async () => {
    const until = closed(z.object({ until: z.string() }));
    const since = closed(z.object({ since: z.string() }));
    const contradicting = { shop: [at('/api/v1/shop/x', until)], stock: [at('/api/v1/stock/x', since)] };
    await expect(gatewayTo([], { contracts: contradicting })).rejects.toThrow('shop.closed');
  });
});

describe('/metrics', () => {
  it("shows the gateway's own metrics and those of shared parts", async () => {
    const gateway = await gatewayTo([]);
    await (await page(gateway, '/health')).text();
    const answer = await page(gateway, '/metrics');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toMatch(/^shared_parts 1$/m);
    expect(text).toMatch(/gateway_discovery_age_seconds\{service="gateway"\} 0/);
    expect(text).toMatch(/http_requests_total\{[^}]*route="\/health"[^}]*\} 1/);
  });
});

describe('the home page', () => {
  it.each([
    ['ru-RU,ru;q=0.9,en;q=0.8', 'ru', 'Документация API'],
    ['de,en;q=0.5', 'en', 'API documentation'],
    ['de', 'en', 'API documentation'],
  ])('for readers of %s is in %s, without a script', async (languages, language, text) => {
    const gateway = await gatewayTo([]);
    const answer = await page(gateway, '/', { 'accept-language': languages });
    const html = await answer.text();
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toContain(text);
    expect(html).not.toMatch(/<script|https?:/);
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'; style-src 'sha256-/);
  });
});

describe('every page of the gateway', () => {
  it.each(['/', '/health', '/ready', '/docs', '/docs/start.js', '/openapi.json', '/metrics', '/nowhere'])(
    '%s is protected and has its request id',
    async (path) => {
      const { headers } = await page(await gatewayTo([]), path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );

  it('is a 404 problem if it does not exist, without a metrics label', async () => {
    const gateway = await gatewayTo([]);
    const answer = await page(gateway, '/nowhere');
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'platform.absent' });
    expect(await gateway.metrics.render()).not.toMatch(/nowhere/);
  });

  it('refuses ambiguous requests as the services do', async () => {
    const gateway = await gatewayTo([]);
    expect((await raw(gateway.port, 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')).status).toBe(400);
  });
});
