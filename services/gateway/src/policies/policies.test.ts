import { closeAll, gatewayTo, raw, until, upstream } from '../../test/gateway-under-test.ts';
import { networkOf } from './address.ts';

afterEach(closeAll);

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('authentication at the gateway', () => {
  it('accepts a valid token, and forwards it for the service to check again', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance]);
    expect((await fetch(`${gateway.url}/api/v1/stock/things/1`, bearer('good-1'))).status).toBe(200);
    expect(stock.requests[0]!.headers['authorization']).toBe('Bearer good-1');
  });

  it.each([
    ['no token', { headers: {} }],
    ['a bad token', bearer('bad')],
    ['another scheme', { headers: { authorization: 'Basic Z29vZC0x' } }],
    ['an endless token', bearer(`good-${'a'.repeat(9_000)}`)],
    ['two tokens in one', { headers: { authorization: 'Bearer good-1 good-2' } }],
    [
      'a token that Connection takes away',
      { headers: { authorization: 'Bearer good-1', connection: 'authorization' } },
    ],
  ])('refuses %s before any service is called', async (_, options) => {
    const stock = await upstream((_req, res) => res.end());
    const { port } = await gatewayTo([stock.instance]);
    const lines = Object.entries(options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await raw(port, `GET /api/v1/stock/things/1 HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`);
    expect(answer.status).toBe(401);
    expect(answer.text).toMatch(/www-authenticate: Bearer/);
    expect(stock.requests).toEqual([]);
  });

  it('ignores tokens on a public route, so that an expired one does not prevent a refresh', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance]);
    expect((await fetch(`${gateway.url}/api/v1/stock/open`, bearer('bad'))).status).toBe(200);
  });

  it.each(['/api/v1/stock/nothing', '/api/v1/stock', '/api/v1/stock/things/1/more'])(
    'wants a token for %s, which no contract names; then the service answers',
    async (path) => {
      const stock = await upstream((_, res) => res.writeHead(404).end());
      const gateway = await gatewayTo([stock.instance]);
      expect((await fetch(`${gateway.url}${path}`)).status).toBe(401);
      expect((await fetch(`${gateway.url}${path}`, bearer('good-1'))).status).toBe(404);
      expect(stock.requests).toHaveLength(1);
    },
  );
});

describe('rate limits', () => {
  it('are shown to the client', async () => {
    const stock = await upstream((_, res) => res.writeHead(200, { 'ratelimit-limit': '9' }).end());
    const gateway = await gatewayTo([stock.instance], { env: { RATE_LIMIT_CALLER: '2/s,burst=5' } });
    const { headers } = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(headers.get('ratelimit-limit')).toBe('5');
    expect(headers.get('ratelimit-remaining')).toBe('4');
    expect(headers.get('ratelimit-reset')).toBe('1');
  });

  it('refuse excessive requests with the time to wait, and count them', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance], { env: { RATE_LIMIT_CALLER: '6/min,burst=2' } });
    const ask = () => fetch(`${gateway.url}/api/v1/stock/open`);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const third = await ask();
    expect(third.status).toBe(429);
    expect(third.headers.get('retry-after')).toBe('10');
    expect(await third.json()).toMatchObject({ code: 'platform.too-many-requests', limit: 2 });
    expect(stock.requests).toHaveLength(2);
    const refused = { policy: 'caller', decision: 'refused' };
    expect(await gateway.measured('gateway_ratelimit_total', refused)).toBe(1);
  });

  it('apply per session, so that people behind one address do not share them', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance], { env: { RATE_LIMIT_CALLER: '6/min,burst=1' } });
    const ask = (session: string) => fetch(`${gateway.url}/api/v1/stock/things/1`, bearer(`good-${session}`));
    expect((await ask('a')).status).toBe(200);
    expect((await ask('b')).status).toBe(200);
    expect((await ask('a')).status).toBe(429);
  });

  it('count invalid tokens against their address', async () => {
    const gateway = await gatewayTo([], { env: { RATE_LIMIT_CALLER: '6/min,burst=2' } });
    const ask = () => fetch(`${gateway.url}/api/v1/stock/things/1`, bearer(`bad-${Math.random()}`));
    const statuses = [];
    for (let at = 0; at < 3; at++) statuses.push((await ask()).status);
    expect(statuses).toEqual([401, 401, 429]);
  });

  const strict = '6/min,burst=';
  const unlimited = '999999/s';

  it.each([
    ['of one person over all sessions', { RATE_LIMIT_USER: `${strict}3` }, (n: number) => `good-${n}`],
    [
      'of one address, however many sessions it has',
      { RATE_LIMIT_ADDRESS: `${strict}3` },
      (n: number) => `good-${n}`,
    ],
    [
      'of one key, which the limits of persons do not hold',
      { RATE_LIMIT_KEY: `${strict}3`, RATE_LIMIT_USER: `${strict}1` },
      () => 'good-program-1',
    ],
  ])('bound bursts: %s', async (_, env, token) => {
    const stock = await upstream((_req, res) => res.end());
    const gateway = await gatewayTo([stock.instance], { env: { RATE_LIMIT_CALLER: unlimited, ...env } });
    const statuses = [];
    for (let at = 0; at < 4; at++) {
      const { status } = await fetch(`${gateway.url}/api/v1/stock/things/1`, bearer(token(at)));
      statuses.push(status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it("apply to the gateway's pages too, except health probes", async () => {
    const limits = { RATE_LIMIT_CALLER: '1/min,burst=1', RATE_LIMIT_ADDRESS: '1/min,burst=5' };
    const { url } = await gatewayTo([], { env: limits });
    const ask = async (path: string) => (await fetch(`${url}${path}`)).status;
    expect([await ask('/metrics'), await ask('/metrics')]).toEqual([200, 429]);
    const statuses = [];
    for (const path of ['/openapi.json', '/docs/', '/', '/nothing', '/openapi.json', '/nothing']) {
      statuses.push(await ask(path));
    }
    expect(statuses).toEqual([200, 200, 200, 404, 429, 429]);
    for (let n = 0; n < 20; n++) expect(await ask('/health')).toBe(200);
    const refused = await fetch(`${url}/openapi.json`);
    expect(refused.headers.get('ratelimit-limit')).toBe('5');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('take nothing from the address for what another limit refuses', async () => {
    const stock = await upstream((_, res) => res.end());
    const env = { RATE_LIMIT_CALLER: `${strict}1`, RATE_LIMIT_ADDRESS: `${strict}3` };
    const gateway = await gatewayTo([stock.instance], { env });
    const ask = async (session: string) =>
      (await fetch(`${gateway.url}/api/v1/stock/things/1`, bearer(`good-${session}`))).status;
    const greedy = [await ask('a'), await ask('a'), await ask('a'), await ask('a')];
    expect(greedy).toEqual([200, 429, 429, 429]);
    expect([await ask('b'), await ask('c'), await ask('d')]).toEqual([200, 200, 429]);
  });

  it('name the tightest one, in replies and refusals', async () => {
    const stock = await upstream((_, res) => res.end());
    const env = { RATE_LIMIT_CALLER: '60/s,burst=120', RATE_LIMIT_USER: `${strict}2` };
    const gateway = await gatewayTo([stock.instance], { env });
    const limitOf = async () => {
      const { headers } = await fetch(`${gateway.url}/api/v1/stock/things/1`, bearer('good-1'));
      return ['limit', 'remaining', 'reset'].map((name) => headers.get(`ratelimit-${name}`)).join(' ');
    };
    expect([await limitOf(), await limitOf(), await limitOf()]).toEqual(['2 1 10', '2 0 20', '2 0 20']);
  });

  it('treat the addresses of an IPv6 network as one client', () => {
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8::9')).toBe('2001:db8:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
    expect(networkOf('10.0.0.1')).toBe('10.0.0.1');
  });
});

describe('what is recorded of a request', () => {
  it('has its route template and never its path', async () => {
    const stock = await upstream((_, res) => res.end('four'));
    const gateway = await gatewayTo([stock.instance]);
    await fetch(`${gateway.url}/api/v1/stock/things/secret-1`, bearer('good-1'));
    await fetch(`${gateway.url}/api/v1/stock/secret-2`, bearer('good-1'));
    await until(async () => (await gateway.measured('http_requests_total')) === 2);
    const route = '/api/v1/stock/things/{id}';
    expect(await gateway.measured('http_requests_total', { route, method: 'GET', status: '200' })).toBe(1);
    expect(await gateway.measured('http_response_size_bytes_sum', { route: 'unmatched' })).toBe(4);
    const ofStock = { upstream: 'stock', outcome: '2xx' };
    expect(await gateway.measured('gateway_upstream_request_duration_seconds_count', ofStock)).toBe(2);
    const text = await gateway.metrics.render();
    expect(text).not.toMatch(/secret/);
  });

  it('is logged when it failed, with the ids that lead to the service', async () => {
    const stock = await upstream((_, res) => res.writeHead(409).end());
    const gateway = await gatewayTo([stock.instance]);
    const { headers } = await fetch(`${gateway.url}/api/v1/stock/things/1?secret=1`, bearer('good-1'));
    const requests = () => gateway.logged.filter(({ message }) => message === 'request');
    await until(() => requests().length > 0);
    expect(requests()[0]).toMatchObject({
      message: 'request',
      path: '/api/v1/stock/things/1',
      status: 409,
      'request.id': headers.get('x-request-id'),
      'tenant.id': '0190a000-0000-7000-8000-000000000002',
    });
    expect(JSON.stringify(gateway.logged)).not.toMatch(/secret|good-1/);
  });
});
