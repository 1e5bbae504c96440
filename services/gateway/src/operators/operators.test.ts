import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, change, type Json, proof, send } from '../../test/asking-operators.ts';
import { describedAs, describedUpstream, route } from '../../test/described-service.ts';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  operatorToken,
  stock,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'marimo-operators-'));
});
afterEach(async () => {
  await closeAll();
  await rm(home, { recursive: true, force: true });
});

const well = () => upstream((_, res) => res.end('{}'));
const open = async (gateway: GatewayUnderTest) => (await fetch(`${gateway.url}/api/v1/stock/open`)).status;

describe("access to the operators' API", () => {
  it.each<[string, Record<string, string>]>([
    ['an anonymous client', {}],
    ['a signed-in person', { authorization: 'Bearer good-1' }],
    ['a client with half of the token', { authorization: `Bearer ${operatorToken.slice(0, 16)}` }],
    ['a client with more than the token', { authorization: `Bearer ${operatorToken}x` }],
    ['a client with the token in a cookie', { cookie: `token=${operatorToken}` }],
  ])('is refused to %s', async (_, headers) => {
    const gateway = await gatewayTo([]);
    for (const path of ['state', 'routes', 'instances', 'breakers', 'limits', 'cache', 'changes']) {
      const { status, body } = await ask(gateway, path, headers);
      expect([path, status, body['code']]).toEqual([path, 401, 'platform.unauthenticated']);
    }
  });

  it('is granted with the token, also after ten failed attempts by others; only those who failed wait a minute', async () => {
    const gateway = await gatewayTo([]);
    const guess = (text: string) => ask(gateway, 'state', { authorization: `Bearer guess-${text}` });
    for (let tries = 0; tries < 10; tries++) expect((await guess(String(tries))).status).toBe(401);
    const answer = await fetch(`${gateway.operators}/state`);
    expect([answer.status, Number(answer.headers.get('retry-after')) > 50]).toEqual([429, true]);
    expect((await guess('again')).status).toBe(429);
    expect((await ask(gateway, 'state')).status).toBe(200);
    expect((await guess('after that')).status).toBe(429);
  });

  it('does not exist at the public port', async () => {
    const gateway = await gatewayTo([]);
    for (const path of ['/internal/gateway/state', '/api/v1/internal/gateway/state', '/state']) {
      expect((await fetch(`${gateway.url}${path}`, { headers: proof })).status).toBe(404);
    }
  });

  it('leaves no token in the log', async () => {
    const gateway = await gatewayTo([], { home });
    await change(gateway, { limits: { login: '1/s' } });
    await ask(gateway, 'state', { authorization: 'Bearer a-guess-that-is-secret-too' });
    expect(JSON.stringify(gateway.logged)).not.toMatch(new RegExp(`${operatorToken}|a-guess-that`));
  });
});

it('a port in use stops the start, with the setting to change', async () => {
  const one = await well();
  const operators = { port: one.instance.port, host: '127.0.0.1', token: operatorToken, canary: [] };
  await expect(gatewayTo([], { operators })).rejects.toThrow('GATEWAY_OPERATOR_PORT');
});

describe("the operators' views", () => {
  it('list every route with its policy and origin', async () => {
    const one = await describedUpstream(describedAs('2', [route('added', { deadlineMs: 500 })]));
    const gateway = await gatewayTo([one.instance]);
    await until(async () => JSON.stringify((await ask(gateway, 'routes')).body).includes('stock/added'));
    const { items, refused } = (await ask(gateway, 'routes')).body as { items: Json[]; refused: Json[] };
    expect(items).toContainEqual({
      service: 'stock',
      method: 'GET',
      path: '/api/v1/stock/added',
      access: 'public',
      closed: false,
      stepUp: false,
      limit: 'caller',
      bodyLimitBytes: 1_048_576,
      deadlineMs: 500,
      cache: null,
      deprecated: null,
      versions: ['2'],
      from: ['service'],
    });
    expect(items).toHaveLength(stock.length + 1);
    expect(refused).toEqual([]);
  });

  it('list refused descriptions with the reason', async () => {
    const ill = await describedUpstream(describedAs('3', [route('new', { access: 'stock.new.read' })]));
    const gateway = await gatewayTo([ill.instance]);
    const refused = async () => (await ask(gateway, 'routes')).body['refused'] as Json[];
    await until(async () => (await refused()).length > 0);
    expect(await refused()).toEqual([
      {
        service: 'stock',
        version: '3',
        routesDigest: 'digest-3',
        mistakes: ['GET /api/v1/stock/new needs stock.new.read, an undeclared permission'],
      },
    ]);
  });

  it('list every instance with version, share, load, health and breaker', async () => {
    const [old, fresh] = [
      await describedUpstream(describedAs('1', [])),
      await describedUpstream(describedAs('2', [])),
    ];
    const operators = {
      port: 0,
      host: '127.0.0.1',
      token: operatorToken,
      canary: [{ service: 'stock', version: '2', percent: 5 }],
    };
    const gateway = await gatewayTo([old.instance, fresh.instance], { operators });
    await until(async () => (await gateway.measured('gateway_route_table_swaps_total')) >= 2);
    const { items } = (await ask(gateway, 'instances')).body as { items: Json[] };
    const common = {
      service: 'stock',
      routes: 'known',
      breaker: 'closed',
      inFlight: 0,
      alive: true,
      ready: true,
    };
    expect(items).toMatchObject([
      { ...common, id: old.instance.id, version: '1', percent: 95 },
      { ...common, id: fresh.instance.id, version: '2', percent: 5 },
    ]);
    const { body } = await ask(gateway, 'state');
    expect(body).toMatchObject({
      version: '1.2.3',
      draining: false,
      discovery: { ageSeconds: 0, source: 'registry' },
      canary: operators.canary,
      services: [
        {
          service: 'stock',
          versions: [
            { version: '1', instances: 1, percent: 95 },
            { version: '2', instances: 1, percent: 5 },
          ],
        },
      ],
    });
  });

  it('list the breakers, which can be closed', async () => {
    let status = 500;
    const one = await upstream((_, res) => res.writeHead(status).end());
    const gateway = await gatewayTo([one.instance]);
    for (let at = 0; at < 5; at++) await open(gateway);
    status = 200;
    expect(await open(gateway)).toBe(503);
    const { id } = one.instance;
    expect((await ask(gateway, 'breakers')).body).toEqual({
      items: [{ id, service: 'stock', state: 'open' }],
    });
    const reset = await send(gateway, `breakers/${id}/reset`, {});
    expect([reset.status, reset.body['state']]).toEqual([200, 'closed']);
    expect(await open(gateway)).toBe(200);
    expect((await send(gateway, 'breakers/nobody/reset', {})).status).toBe(404);
  });

  it('show what is left of a limit', async () => {
    const one = await well();
    const gateway = await gatewayTo([one.instance], { env: { RATE_LIMIT_CALLER: '1/h,burst=5' } });
    await open(gateway);
    const { body } = await ask(gateway, 'limits?limit=caller&key=127.0.0.1');
    expect(body['bucket']).toEqual({ limit: 'caller', key: '127.0.0.1', remaining: 4, decidedBy: 'shared' });
    expect((await ask(gateway, 'limits?limit=caller&key=127.0.0.1')).body['bucket']).toMatchObject({
      remaining: 4,
    });
    expect((await ask(gateway, 'limits?limit=nothing&key=1')).status).toBe(404);
    expect(body['items']).toContainEqual({
      limit: 'caller',
      perSecond: 1 / 3600,
      burst: 5,
      from: 'settings',
    });
  });

  it('show the response cache, which can be emptied', async () => {
    const gateway = await gatewayTo([]);
    expect((await ask(gateway, 'cache')).body).toMatchObject({ enabled: true, entries: 0, hitRate: null });
    expect(await send(gateway, 'cache/purge', { route: '/api/v1/stock/open' })).toMatchObject({
      status: 200,
    });
  });
});
