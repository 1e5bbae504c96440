import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@marimo/observability';
import { type PrivateConsul, requireInfra, startConsul } from '@marimo/testing/outside';
import { consulRegistry, type Instance, type Registry, staticRegistry } from './index.ts';

/** What the platform relies on, whichever registry it runs with. */
function conformance(open: () => Promise<Registry>): void {
  let registry: Registry;
  let servers: Server[] = [];
  beforeEach(async () => {
    registry = await open();
  });
  afterEach(async () => {
    await registry.close();
    for (const server of servers) server.close();
    servers = [];
  });

  /** An instance of its own service that answers `/ready`. */
  async function instanceOf(service: string): Promise<Instance> {
    const server = createServer((_request, reply) => reply.end());
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const place = { id: `${service}-127.0.0.1-${port}`, service, host: '127.0.0.1', port };
    return { ...place, version: '1.2.3', routesDigest: 'f00d-f00d' };
  }

  async function untilCalled(service: string, expected: readonly Instance[]): Promise<void> {
    const ids = (instances: readonly Instance[]) => instances.map(({ id }) => id).sort();
    for (let i = 0; i < 400; i++) {
      if (String(ids(registry.instances(service))) === String(ids(expected))) return;
      await sleep(25);
    }
    expect(registry.instances(service)).toEqual(expected);
  }

  it('gives an instance that registered, as it described itself', async () => {
    const users = await instanceOf('users');
    await registry.register(users);
    await registry.ready(['users']);
    await untilCalled('users', [users]);
    expect(registry.instances('users')).toEqual([users]);
  });

  it('gives every copy of a service and none of another', async () => {
    const copies = [await instanceOf('shop'), await instanceOf('shop')];
    for (const copy of copies) await registry.register(copy);
    await registry.register(await instanceOf('chat'));
    await untilCalled('shop', copies);
  });

  it('takes out an instance that was withdrawn, leaves the others, and does so once', async () => {
    const [stays, goes] = [await instanceOf('main'), await instanceOf('main')];
    await registry.register(stays);
    const registration = await registry.register(goes);
    await untilCalled('main', [stays, goes]);
    await registration.withdraw();
    await untilCalled('main', [stays]);
    await registration.withdraw();
    await untilCalled('main', [stays]);
  });

  it('takes out the last instance of a service too', async () => {
    const registration = await registry.register(await instanceOf('factory'));
    await registry.ready(['factory']);
    await registration.withdraw();
    await untilCalled('factory', []);
  });

  it('can register an instance again after it was withdrawn', async () => {
    const config = await instanceOf('config');
    const registration = await registry.register(config);
    await untilCalled('config', [config]);
    await registration.withdraw();
    await registry.register(config);
    await untilCalled('config', [config]);
  });

  it('tells its listeners of each change until they leave', async () => {
    const heard: string[] = [];
    const stopListening = registry.onChange((service) => heard.push(service));
    await registry.ready(['workers']);
    const registration = await registry.register(await instanceOf('workers'));
    for (let i = 0; i < 400 && heard.length === 0; i++) await sleep(25);
    expect(new Set(heard)).toEqual(new Set(['workers']));
    stopListening();
    heard.length = 0;
    await registration.withdraw();
    await untilCalled('workers', []);
    expect(heard).toEqual([]);
  });

  it('answers at once for a service of which it knows nothing', () => {
    expect(registry.instances('gateway')).toEqual([]);
  });

  it('is fresh while it works', async () => {
    await registry.ready(['users']);
    expect(registry.ageSeconds()).toBeLessThan(11);
    expect(registry.source()).toBe('registry');
  });
}

describe('the static table', () => {
  conformance(async () => staticRegistry({ table: {} }));

  it('calls a service where the table puts it until one registers here', async () => {
    const registry = staticRegistry({ table: { users: { host: '127.0.0.1', port: 8081 } } });
    expect(registry.instances('users')).toMatchObject([{ id: 'users-127.0.0.1-8081', port: 8081 }]);
    await registry.register({ id: 'u', service: 'users', host: '127.0.0.1', port: 9000, version: '1' });
    expect(registry.instances('users')).toMatchObject([{ id: 'u' }]);
  });
});

requireInfra('consul')('Consul', () => {
  let consul: PrivateConsul;
  let folder: string;
  beforeAll(async () => {
    consul = await startConsul();
    folder = await mkdtemp(join(tmpdir(), 'marimo-discovery-'));
  });
  afterAll(async () => {
    await consul.stop();
    await rm(folder, { recursive: true, force: true });
  });
  let tests = 0;

  conformance(async () =>
    consulRegistry({
      address: consul.address,
      log: createLog({ service: 'test', level: 'silent' }),
      metrics: createMetrics('test'),
      snapshotDirectory: join(folder, String(tests++)),
    }),
  );

  it('keeps texts that everybody shares, and lets nobody overwrite what they have not seen', async () => {
    const options = { address: consul.address, metrics: createMetrics('test'), snapshotDirectory: folder };
    const log = createLog({ service: 'test', level: 'silent' });
    const [one, other] = [consulRegistry({ ...options, log }), consulRegistry({ ...options, log })];
    const [mine, yours] = [one.shared!, other.shared!];
    expect(await mine.read('orders')).toBeUndefined();
    const first = await Promise.all([
      mine.replace('orders', 'mine', undefined),
      yours.replace('orders', 'yours', undefined),
    ]);
    expect(new Set(first)).toEqual(new Set([false, true]));
    const { mark } = (await yours.read('orders'))!;
    expect(await mine.replace('orders', 'Заказ', mark)).toBe(true);
    expect(await yours.replace('orders', 'late', mark)).toBe(false);
    expect((await yours.read('orders'))?.text).toBe('Заказ');
    await mine.put('held/a', '1');
    await yours.put('held/b', '2');
    expect(await mine.below('held/')).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    expect(await mine.below('nothing/')).toEqual(new Map());
    await one.close();
    await other.close();
  });
});
