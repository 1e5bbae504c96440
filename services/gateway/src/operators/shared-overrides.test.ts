import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { consulRegistry, type Registry } from '@marimo/discovery';
import { createLog, createMetrics } from '@marimo/observability';
import { type PrivateConsul, requireInfra, startConsul } from '@marimo/testing/outside';
import { ask, change, type Json, send } from '../../test/asking-operators.ts';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';
import { reconcile } from './shared-overrides.ts';

/** Our version, the last one shared, and what is shared. */
it.each([
  ['no overrides anywhere', 0, 0, undefined, 'none'],
  ['overrides of another gateway', 0, 0, 1, 'adopt'],
  ['newer overrides of another gateway', 4, 4, 5, 'adopt'],
  ['all is known', 5, 5, 5, 'none'],
  ['overrides set here alone', 6, 5, 5, 'publish'],
  ['overrides set here alone, after another gateway published', 6, 5, 6, 'adopt'],
  ['overrides set here alone more often than elsewhere', 8, 5, 6, 'adopt'],
  ['the registry has lost all', 5, 5, undefined, 'publish'],
  ['the registry has lost a part', 5, 5, 3, 'publish'],
  ['the first override, set here alone', 1, 0, undefined, 'publish'],
])('%s: %i over %i, shared %p: %s', (_, version, sharedVersion, told, todo) => {
  expect(reconcile({ version, sharedVersion }, told)).toBe(todo);
});

requireInfra('consul')('an override at two gateways with a real Consul', () => {
  let consul: PrivateConsul;
  let folder: string;
  const registries: Registry[] = [];
  const log = createLog({ service: 'gateway', level: 'silent' });

  beforeEach(async () => {
    consul = await startConsul();
    folder = await mkdtemp(join(tmpdir(), 'marimo-orders-'));
  });
  afterEach(async () => {
    await closeAll();
    for (const registry of registries.splice(0)) await registry.close();
    await consul.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function gateway(name: string): Promise<GatewayUnderTest & { readonly id: string }> {
    const registry = consulRegistry({
      address: consul.address,
      log,
      metrics: createMetrics('test'),
      snapshotDirectory: join(folder, name, 'discovery'),
    });
    registries.push(registry);
    // Without it no gateway is ready, and Consul names none.
    const stock = await upstream((_, res) => res.end('{}'));
    await registry.register(stock.instance);
    const made = await gatewayTo([], { registry, home: join(folder, name) });
    const id = `gateway-127.0.0.1-${made.port}`;
    await registry.register({ id, service: 'gateway', host: '127.0.0.1', port: made.port, version: '1' });
    return { ...made, id };
  }
  const limitAt = async (at: GatewayUnderTest) => ((await ask(at, 'state')).body['limits'] as Json)['login'];
  const held = async (at: GatewayUnderTest) => (await ask(at, 'state')).body['orders'] as Json;
  const both = async () => {
    const [one, other] = [await gateway('one'), await gateway('other')];
    await until(async () => JSON.stringify(await held(one)).includes(other.id));
    await until(async () => JSON.stringify(await held(other)).includes(one.id));
    return [one, other] as const;
  };

  it('applies at both gateways within seconds, and the reply says so', async () => {
    const [one, other] = await both();
    const { status, body } = await change(one, { limits: { login: '1/s' } });
    expect(status).toBe(200);
    const ids = [one.id, other.id].sort();
    expect(body['orders']).toEqual({ version: 1, heldBy: ids, awaited: [], onlyHere: null });
    expect(await limitAt(other)).toBe('1/s');
    await until(async () => isDeepStrictEqual(await held(other), body['orders']));
    const { items } = (await ask(other, 'changes')).body as { items: Json[] };
    expect(items).toMatchObject([{ by: 'anna', address: one.id, what: 'taken over from another gateway' }]);
  });

  it('applies at a gateway that starts later, from its first request', async () => {
    await change(await gateway('one'), { limits: { login: '1/s' } });
    expect(await limitAt(await gateway('later'))).toBe('1/s');
  });

  it('is refused if another was made elsewhere since, also when both are concurrent', async () => {
    const [one, other] = await both();
    const { etag } = await ask(other, 'state');
    await change(one, { limits: { login: '1/s' } });
    const late = await send(other, 'changes', { limits: { login: '2/s' } }, { 'if-match': etag! });
    expect([late.status, late.body['code']]).toEqual([412, 'platform.stale']);
    expect(late.body['etag']).toBe((await ask(other, 'state')).etag);

    const tags = [(await ask(one, 'state')).etag!, (await ask(other, 'state')).etag!] as const;
    const answers = await Promise.all([
      send(one, 'changes', { limits: { login: '3/s' } }, { 'if-match': tags[0] }),
      send(other, 'changes', { limits: { login: '4/s' } }, { 'if-match': tags[1] }),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
    const winner = answers[0].status === 200 ? '3/s' : '4/s';
    await until(async () => (await limitAt(one)) === winner && (await limitAt(other)) === winner);
  });

  it('made while Consul is unavailable applies here, says so, and applies everywhere once it is back', async () => {
    const [one, other] = await both();
    await change(one, { limits: { login: '1/s' } });
    await consul.kill();
    const { status, body } = await change(one, { limits: { login: '2/s' } });
    expect(status).toBe(200);
    expect(body['orders']).toMatchObject({ version: 2, heldBy: [one.id], awaited: [] });
    expect((body['orders'] as Json)['onlyHere']).toMatch(
      /^The registry did not answer. The overrides hold at this gateway/,
    );
    expect([await limitAt(one), await limitAt(other)]).toEqual(['2/s', '1/s']);
    await consul.restart(); // with an empty memory
    await until(async () => (await limitAt(other)) === '2/s');
    await until(async () => ((await held(one))['heldBy'] as string[]).length === 2);
    expect((await held(one))['onlyHere']).toBeNull();
  });

  it('made while Consul is unavailable yields to an earlier one, and the journal says so', async () => {
    const [one, other] = await both();
    await consul.kill();
    await change(one, { limits: { login: '2/s' } });
    await one.close();
    await consul.restart();
    await change(other, { limits: { login: '5/s' } });
    const again = await gateway('one');
    expect(await limitAt(again)).toBe('5/s');
    const { items } = (await ask(again, 'changes')).body as { items: Json[] };
    expect(items[0]).toMatchObject({ what: 'gave way to another gateway' });
  });

  it('that cannot be read is left alone until an operator makes another', async () => {
    const [one, other] = await both();
    await registries[0]!.shared!.put('gateway/orders', '{"format":2}');
    await sleep(1_500);
    expect((await registries[0]!.shared!.read('gateway/orders'))?.text).toBe('{"format":2}');
    expect((await change(one, { limits: { login: '1/s' } })).status).toBe(200);
    await until(async () => (await limitAt(other)) === '1/s');
  });
});
