import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, change, type Json, send } from '../../test/asking-operators.ts';
import { describedAs, describedUpstream, route } from '../../test/described-service.ts';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  operatorToken,
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

describe("an operator's change", () => {
  const closing = { routes: [{ method: 'GET', path: '/api/v1/stock/open', closed: true }] };

  it('takes effect with the next request', async () => {
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

  it('of a limit applies at once', async () => {
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

  it('is kept over a restart, unless the setting it overrides has changed', async () => {
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

  it('with an outdated ETag is refused', async () => {
    const gateway = await gatewayTo([]);
    const { etag } = await ask(gateway, 'state');
    const both = ['1/s', '2/s'].map((login) =>
      send(gateway, 'changes', { limits: { login } }, { 'if-match': etag! }),
    );
    const answers = await Promise.all(both);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
    expect((await ask(gateway, 'changes')).body).toEqual({ items: [] }); // no home, no journal
  });

  it('without If-Match is refused', async () => {
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
  ])('that contradicts the configuration is refused and changes nothing: %s', async (_, body, message) => {
    const gateway = await gatewayTo([], { home });
    const before = await ask(gateway, 'state');
    const answer = await change(gateway, { ...body, ...('routes' in body ? {} : closing) });
    expect([answer.status, answer.body['code']]).toEqual([422, 'gateway.change-refused']);
    expect(answer.body['conflicts']).toEqual([expect.stringContaining(message)]);
    expect(await ask(gateway, 'state')).toEqual(before);
    expect((await ask(gateway, 'changes')).body).toEqual({ items: [] });
  });

  it('is in the journal and in the log, with who, when and the earlier value', async () => {
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
  it('shows what would change and where requests would go, and applies nothing', async () => {
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

  it("shows whether a version's description would be accepted before it is deployed", async () => {
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
    expect(ill['conflicts']).toEqual([expect.stringContaining('an undeclared permission')]);
    expect((await fetch(`${gateway.url}/api/v1/stock/added`)).status).toBe(401);
  });

  it('cannot state what only a service can state', async () => {
    const gateway = await gatewayTo([]);
    expect((await change(gateway, { descriptions: [describedAs('2', [])] })).status).toBe(400);
  });
});
