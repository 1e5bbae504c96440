import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const proof = { authorization: `Bearer ${operatorToken}` };
type Json = Record<string, unknown>;

async function ask(gateway: GatewayUnderTest, path: string, headers: Record<string, string> = proof) {
  const answer = await fetch(`${gateway.operators}/${path}`, { headers });
  return { status: answer.status, etag: answer.headers.get('etag'), body: (await answer.json()) as Json };
}

async function send(
  gateway: GatewayUnderTest,
  path: string,
  body: Json,
  headers: Record<string, string> = {},
) {
  const answer = await fetch(`${gateway.operators}/${path}`, {
    method: 'POST',
    headers: { ...proof, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ by: 'anna', ...body }),
  });
  return { status: answer.status, etag: answer.headers.get('etag'), body: (await answer.json()) as Json };
}

/** Decided on what is there now, as an operator does. */
async function change(gateway: GatewayUnderTest, body: Json) {
  const { etag } = await ask(gateway, 'state');
  return send(gateway, 'changes', body, { 'if-match': etag ?? '' });
}

const well = () => upstream((_, res) => res.end('{}'));
const open = async (gateway: GatewayUnderTest) => (await fetch(`${gateway.url}/api/v1/stock/open`)).status;

describe('who may ask what is for operators', () => {
  it.each<[string, Record<string, string>]>([
    ['nobody', {}],
    ['somebody who is signed in', { authorization: 'Bearer good-1' }],
    ['who knows half of the token', { authorization: `Bearer ${operatorToken.slice(0, 16)}` }],
    ['who knows more than the token', { authorization: `Bearer ${operatorToken}x` }],
    ['who has it somewhere else', { cookie: `token=${operatorToken}` }],
  ])('is not %s', async (_, headers) => {
    const gateway = await gatewayTo([]);
    for (const path of ['state', 'routes', 'instances', 'breakers', 'limits', 'cache', 'changes']) {
      const { status, body } = await ask(gateway, path, headers);
      expect([path, status, body['code']]).toEqual([path, 401, 'platform.unauthenticated']);
    }
  });

  it('is who has the token; but nobody, for a while, from where ten in a row had not', async () => {
    const gateway = await gatewayTo([]);
    expect((await ask(gateway, 'state')).status).toBe(200);
    for (let guess = 0; guess < 10; guess++) {
      expect((await ask(gateway, 'state', { authorization: `Bearer guess-${guess}` })).status).toBe(401);
    }
    const answer = await fetch(`${gateway.operators}/state`, { headers: proof });
    expect([answer.status, Number(answer.headers.get('retry-after')) > 50]).toEqual([429, true]);
  });

  it('finds none of it at the port everybody uses', async () => {
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

describe('what operators see', () => {
  it('is every route with its policy and where it came from', async () => {
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

  it('is what was refused, and why', async () => {
    const ill = await describedUpstream(describedAs('3', [route('new', { access: 'stock.new.read' })]));
    const gateway = await gatewayTo([ill.instance]);
    const refused = async () => (await ask(gateway, 'routes')).body['refused'] as Json[];
    await until(async () => (await refused()).length > 0);
    expect(await refused()).toEqual([
      {
        service: 'stock',
        version: '3',
        routesDigest: 'digest-3',
        mistakes: ['GET /api/v1/stock/new needs stock.new.read, a permission nobody declares'],
      },
    ]);
  });

  it('is every instance: version, share, load, health and breaker', async () => {
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

  it('is the breakers, one of which they may close', async () => {
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

  it('is what is left of a limit', async () => {
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

  it('is the cache of answers, which they may empty', async () => {
    const gateway = await gatewayTo([]);
    expect((await ask(gateway, 'cache')).body).toMatchObject({ enabled: true, entries: 0, hitRate: null });
    expect(await send(gateway, 'cache/purge', { route: '/api/v1/stock/open' })).toMatchObject({
      status: 200,
    });
  });
});

describe('a change by an operator', () => {
  const closing = { routes: [{ method: 'GET', path: '/api/v1/stock/open', closed: true }] };

  it('takes effect at once, with the next request', async () => {
    const one = await well();
    const gateway = await gatewayTo([one.instance], { home });
    expect(await open(gateway)).toBe(200);
    const { status, body } = await change(gateway, closing);
    expect(status).toBe(200);
    expect(body['differences']).toEqual([
      {
        what: 'route GET /api/v1/stock/open',
        before: 'public, limit caller, 1048576 bytes, 15000 ms',
        after: 'closed',
      },
    ]);
    expect(await open(gateway)).toBe(403);
    await change(gateway, { routes: [] });
    expect(await open(gateway)).toBe(200);
  });

  it('of a limit counts from then on', async () => {
    const one = await well();
    const gateway = await gatewayTo([one.instance]);
    expect((await change(gateway, { limits: { caller: '1/h,burst=1' } })).status).toBe(200);
    expect([await open(gateway), await open(gateway)]).toEqual([200, 429]);
    await change(gateway, { limits: {} });
    expect((await ask(gateway, 'limits')).body['items']).toContainEqual(
      expect.objectContaining({ limit: 'caller', from: 'settings' }),
    );
  });

  it('of weights moves clients', async () => {
    const [old, fresh] = [
      await describedUpstream(describedAs('1', [])),
      await describedUpstream(describedAs('2', [])),
    ];
    const gateway = await gatewayTo([old.instance, fresh.instance]);
    await until(async () => (await gateway.measured('gateway_route_table_swaps_total')) >= 2);
    const version = async () => (await fetch(`${gateway.url}/api/v1/stock/open`)).text();
    for (const [percent, expected] of [
      [100, '2'],
      [0, '1'],
    ] as const) {
      const { status } = await change(gateway, { canary: [{ service: 'stock', version: '2', percent }] });
      expect(status).toBe(200);
      for (let at = 0; at < 6; at++) expect(await version()).toBe(expected);
    }
  });

  it('outlives the gateway, unless the setting it was made over has changed', async () => {
    const one = await well();
    const gateway = await gatewayTo([one.instance], { home });
    const weights = [{ service: 'stock', version: '2', percent: 5 }];
    await change(gateway, { ...closing, canary: weights, limits: { login: '1/s' } });
    await gateway.close();
    const next = await gatewayTo([one.instance], { home });
    expect(await open(next)).toBe(403);
    expect((await ask(next, 'state')).body).toMatchObject({ canary: weights, limits: { login: '1/s' } });
    await next.close();
    const canary = [{ service: 'stock', version: '3', percent: 1 }];
    const operators = { port: 0, host: '127.0.0.1', token: operatorToken, canary };
    const other = await gatewayTo([one.instance], { home, operators });
    expect((await ask(other, 'state')).body).toMatchObject({ canary, limits: { login: '1/s' } });
  });

  it('that was decided on what has changed since is refused', async () => {
    const gateway = await gatewayTo([]);
    const { etag } = await ask(gateway, 'state');
    const both = ['1/s', '2/s'].map((login) =>
      send(gateway, 'changes', { limits: { login } }, { 'if-match': etag! }),
    );
    const answers = await Promise.all(both);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
    expect((await ask(gateway, 'changes')).body).toEqual({ items: [] }); // no home, no journal
  });

  it('that does not say what it was decided on is refused', async () => {
    const gateway = await gatewayTo([]);
    expect((await send(gateway, 'changes', closing)).status).toBe(400);
    expect((await send(gateway, 'changes', { by: '', ...closing }, { 'if-match': '"1"' })).status).toBe(400);
  });

  it.each<[string, Json, string]>([
    ['a route that is not there', { routes: [{ method: 'GET', path: '/api/v1/stock/nothing' }] }, 'no route'],
    ['a limit that is not there', { limits: { nothing: '1/s' } }, 'no limit'],
    [
      'more than everybody',
      {
        canary: [
          { service: 'stock', version: '2', percent: 60 },
          { service: 'stock', version: '3', percent: 60 },
        ],
      },
      'more than 100 %',
    ],
  ])('that contradicts what is there is refused, and changes nothing: %s', async (_, body, message) => {
    const gateway = await gatewayTo([], { home });
    const before = await ask(gateway, 'state');
    const answer = await change(gateway, { ...body, ...('routes' in body ? {} : closing) });
    expect([answer.status, answer.body['code']]).toEqual([422, 'gateway.change-refused']);
    expect(answer.body['conflicts']).toEqual([expect.stringContaining(message)]);
    expect(await ask(gateway, 'state')).toEqual(before);
    expect((await ask(gateway, 'changes')).body).toEqual({ items: [] });
  });

  it('is in the journal and in the log: who, when, and what was before', async () => {
    const gateway = await gatewayTo([], { home, clock: () => new Date('2026-05-01T10:00:00Z') });
    await change(gateway, { limits: { login: '1/s' } });
    await change(gateway, { limits: { login: '2/s' }, by: 'boris' });
    await change(gateway, { limits: { login: '2/s' } }); // changes nothing
    const { items } = (await ask(gateway, 'changes')).body as { items: Json[] };
    const entry = { at: '2026-05-01T10:00:00.000Z', address: '127.0.0.1', what: 'change' };
    expect(items).toMatchObject([
      { ...entry, by: 'boris', differences: [{ what: 'limit login', before: '1/s', after: '2/s' }] },
      { ...entry, by: 'anna', differences: [{ what: 'limit login', before: null, after: '1/s' }] },
    ]);
    const journal = (await readFile(join(home, 'changes.jsonl'), 'utf8')).trim().split('\n');
    expect(journal.map((line) => JSON.parse(line))).toEqual(items.toReversed());
    const logged = gateway.logged.filter(({ message }) => message === 'an operator changed the gateway');
    expect(logged).toMatchObject([{ by: 'anna' }, { by: 'boris' }]);
  });
});

describe('a dry run', () => {
  it('tells what would change and where requests would go, and applies nothing', async () => {
    const [old, fresh] = [
      await describedUpstream(describedAs('1', [])),
      await describedUpstream(describedAs('2', [])),
    ];
    const gateway = await gatewayTo([old.instance, fresh.instance]);
    await until(async () => (await gateway.measured('gateway_route_table_swaps_total')) >= 2);
    const before = await ask(gateway, 'state');
    const { status, body } = await send(gateway, 'changes/dry-run', {
      canary: [{ service: 'stock', version: '2', percent: 10 }],
      routes: [{ method: 'GET', path: '/api/v1/stock/open', deadlineMs: 700 }],
      limits: { login: '1/s' },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ generation: before.body['generation'], conflicts: [] });
    expect(body['differences']).toEqual([
      { what: 'weight stock@2', before: null, after: '10 %' },
      { what: 'limit login', before: null, after: '1/s' },
      {
        what: 'route GET /api/v1/stock/open',
        before: 'public, limit caller, 1048576 bytes, 15000 ms',
        after: 'public, limit caller, 1048576 bytes, 700 ms',
      },
    ]);
    expect((body['examples'] as Json[])[0]).toMatchObject({
      request: 'GET /api/v1/stock/open',
      goesTo: [
        { version: '1', instances: 1, percent: 90 },
        { version: '2', instances: 1, percent: 10 },
      ],
    });
    expect(await ask(gateway, 'state')).toEqual(before);
  });

  it('tells whether a version would be believed before it is deployed', async () => {
    const gateway = await gatewayTo([]);
    const trial = async (description: object) =>
      (await send(gateway, 'changes/dry-run', { descriptions: [description] })).body;
    const added = await trial(describedAs('2', [route('added')]));
    expect(added).toMatchObject({
      conflicts: [],
      differences: [{ what: 'route GET /api/v1/stock/added', before: null }],
      examples: [{ request: 'GET /api/v1/stock/added', before: null, goesTo: [] }],
    });
    const ill = await trial(describedAs('2', [route('new', { access: 'stock.new.read' })]));
    expect(ill['conflicts']).toEqual([expect.stringContaining('a permission nobody declares')]);
    expect((await fetch(`${gateway.url}/api/v1/stock/added`)).status).toBe(401);
  });

  it('is no way to say what only a service can say of itself', async () => {
    const gateway = await gatewayTo([]);
    expect((await change(gateway, { descriptions: [describedAs('2', [])] })).status).toBe(400);
  });
});
