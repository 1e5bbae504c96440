import { describedAs, describedUpstream } from '../../test/described-service.ts';
import { closeAll, gatewayTo, instanceAt, operatorToken } from '../../test/gateway-under-test.ts';
import { type CanaryWeight, mistakesInWeights, versionFor } from './canary.ts';

afterEach(closeAll);

const weights = (...percents: [string, number][]): CanaryWeight[] =>
  percents.map(([version, percent]) => ({ service: 'stock', version, percent }));
const clients = Array.from(
  { length: 20_000 },
  (_, n) => `01920000-0000-7000-8000-${String(n).padStart(12, '0')}`,
);
const shareOf = (version: string | undefined, given: CanaryWeight[]) =>
  (100 * clients.filter((client) => versionFor(given, client) === version).length) / clients.length;

describe('the version chosen for a client', () => {
  it.each([0, 0.5, 5, 50, 100])('is the canary for %d %% of them', (percent) => {
    expect(Math.abs(shareOf('2', weights(['2', percent])) - percent)).toBeLessThan(0.7);
  });

  it('is one of several by their shares, and never one with no share', () => {
    const given = weights(['2', 10], ['3', 20]);
    expect(['2', '3', undefined].map((version) => Math.round(shareOf(version, given)))).toEqual([10, 20, 70]);
  });

  it('is stable, and stays the canary while its share grows', () => {
    const chosen = clients.filter((client) => versionFor(weights(['2', 5]), client) === '2');
    expect(chosen.length).toBeGreaterThan(500);
    for (const client of chosen) expect(versionFor(weights(['2', 25]), client)).toBe('2');
  });

  it('of one service is independent of other services', () => {
    const both = clients.filter(
      (client) =>
        versionFor(weights(['2', 10]), client) === '2' &&
        versionFor([{ service: 'shop', version: '2', percent: 10 }], client) === '2',
    );
    expect(both.length / clients.length).toBeLessThan(0.02);
  });
});

it.each([
  ['a version twice', weights(['2', 5], ['2', 5]), 'two weights'],
  ['more than everybody', weights(['2', 60], ['3', 40.01]), 'more than 100 %'],
])('contradictory weights are reported: %s', (_, given, message) => {
  expect(mistakesInWeights(given)).toEqual([expect.stringContaining(message)]);
});

describe('a canary', () => {
  const operators = (canary: CanaryWeight[]) => ({
    port: 0,
    host: '127.0.0.1',
    token: operatorToken,
    canary,
  });
  const setUp = async (percent: number, status = () => 200) => {
    const old = await describedUpstream(describedAs('1', []));
    const canary = await describedUpstream(describedAs('2', []), { status });
    const gateway = await gatewayTo([old.instance, canary.instance], {
      operators: operators(weights(['2', percent])),
    });
    const ask = async (session: string) => {
      const headers = { authorization: `Bearer good-${session}` };
      const answer = await fetch(`${gateway.url}/api/v1/stock/things/1`, { headers });
      return { status: answer.status, version: await answer.text() };
    };
    // Until both are known, the one that is gets everything.
    while ((await gateway.measured('gateway_route_table_swaps_total')) < 2) await ask('first');
    return { old, canary, gateway, ask };
  };

  it('gets its share of the clients, and each client meets one version only', async () => {
    const { ask } = await setUp(30);
    const met = new Map<string, Set<string>>();
    for (let client = 0; client < 40; client++) {
      const versions = await Promise.all([1, 2, 3, 4].map(() => ask(`s${client}`)));
      met.set(`s${client}`, new Set(versions.map(({ version }) => version)));
    }
    expect([...met.values()].every(({ size }) => size === 1)).toBe(true);
    const onCanary = [...met.values()].filter((versions) => versions.has('2')).length;
    expect(onCanary).toBeGreaterThan(3);
    expect(onCanary).toBeLessThan(25);
  });

  it('without a share gets no request', async () => {
    const { ask } = await setUp(0);
    const versions = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(`s${n}`)));
    expect(new Set(versions.map(({ version }) => version))).toEqual(new Set(['1']));
  });

  it('that is gone leaves its clients to the other versions', async () => {
    const { old, gateway, ask } = await setUp(100);
    expect((await ask('a')).version).toBe('2');
    gateway.announce(old.instance);
    expect(await ask('a')).toEqual({ status: 200, version: '1' });
  });

  it('that fails leaves its clients to the other versions once its breaker is open', async () => {
    let status = 200;
    const { ask } = await setUp(100, () => status);
    status = 500;
    const failures = [];
    for (let at = 0; at < 20; at++) failures.push((await ask('a')).status);
    expect(failures.lastIndexOf(500)).toBeLessThan(10);
    expect(await ask('a')).toEqual({ status: 200, version: '1' });
  });

  it('that cannot be reached loses no request', async () => {
    const { old, gateway, ask } = await setUp(100);
    gateway.announce(old.instance, { ...instanceAt(1), version: '2', routesDigest: 'digest-2' });
    expect(await ask('a')).toEqual({ status: 200, version: '1' });
  });

  it('that is the only version left gets every request, whatever its share', async () => {
    const { canary, gateway, ask } = await setUp(0);
    gateway.announce(canary.instance);
    expect(await ask('a')).toEqual({ status: 200, version: '2' });
  });
});
