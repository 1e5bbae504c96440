import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@marimo/observability';
import {
  type FaultProxy,
  faultProxy,
  freePorts,
  type PrivateConsul,
  requireInfra,
  startConsul,
} from '@marimo/testing/outside';
import { consulRegistry, type Instance, type Registry } from './index.ts';

const source = `
  const { createServer } = require('node:http');
  let status = 200;
  process.on('SIGUSR2', () => (status = 503));
  createServer((_, reply) => reply.writeHead(status).end()).listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'));
`;

requireInfra('consul')('with a real Consul agent', () => {
  let consul: PrivateConsul;
  let network: FaultProxy;
  let folder: string;
  const open: Registry[] = [];
  const programs: ChildProcess[] = [];
  const metrics = createMetrics('test');

  beforeEach(async () => {
    consul = await startConsul();
    network = await faultProxy({ target: consul.address });
    folder = await mkdtemp(join(tmpdir(), 'marimo-discovery-'));
  });
  afterEach(async () => {
    for (const registry of open.splice(0)) await registry.close();
    for (const program of programs.splice(0)) program.kill('SIGKILL');
    await network.close();
    await consul.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function registryOf(options: { address?: string; graceMs?: number } = {}): Registry {
    const log = createLog({ service: 'test', level: 'silent' });
    const registry = consulRegistry({
      address: consul.address,
      log,
      metrics,
      snapshotDirectory: folder,
      ...options,
    });
    open.push(registry);
    return registry;
  }

  /** An instance in a process of its own, so that it can be killed. */
  async function instance(): Promise<{ instance: Instance; program: ChildProcess }> {
    const [port] = (await freePorts(1)) as [number];
    const program = spawn(process.execPath, ['-e', source, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    programs.push(program);
    await once(program.stdout!, 'data');
    return {
      instance: { id: `users-127.0.0.1-${port}`, service: 'users', host: '127.0.0.1', port, version: '1' },
      program,
    };
  }

  const called = (registry: Registry) => registry.instances('users').map(({ id }) => id);

  async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<number> {
    const startedAt = performance.now();
    while (!(await condition())) {
      if (performance.now() - startedAt > withinMs) throw new Error('it did not happen');
      await sleep(20);
    }
    return performance.now() - startedAt;
  }

  /** Looks all the time, so that a short gap is seen too. */
  async function alwaysCalls(registry: Registry, wanted: Instance, work: () => Promise<void>): Promise<void> {
    let gaps = 0;
    const timer = setInterval(() => (gaps += called(registry).includes(wanted.id) ? 0 : 1), 2);
    await work().finally(() => clearInterval(timer));
    expect(gaps).toBe(0);
  }

  it('stops calling an instance that was killed, and tells after how long', async () => {
    const [survivor, victim] = [await instance(), await instance()];
    const registry = registryOf();
    await registry.register(survivor.instance);
    await registry.register(victim.instance);
    await until(() => called(registry).length === 2);
    await sleep(2_000); // an agent in its first second hands on what it notices a second late
    victim.program.kill('SIGKILL');
    const noticedAfterMs = await until(() => called(registry).length === 1);
    process.stderr.write(`a killed instance was noticed after ${Math.round(noticedAfterMs)} ms\n`);
    expect(called(registry)).toEqual([survivor.instance.id]);
  });

  it('goes on calling an instance that is only busy', async () => {
    const [one, busy] = [await instance(), await instance()];
    const registry = registryOf();
    await registry.register(one.instance);
    await registry.register(busy.instance);
    await until(() => called(registry).length === 2);
    await alwaysCalls(registry, busy.instance, async () => {
      for (let times = 0; times < 3; times++) {
        busy.program.kill('SIGSTOP');
        await sleep(1_200); // of the two seconds it has: the rest is for a machine that is busy itself
        busy.program.kill('SIGCONT');
        await sleep(500);
      }
    });
  });

  it('keeps the known instances while the check of every one of them fails', async () => {
    const [one, other] = [await instance(), await instance()];
    const registry = registryOf();
    await registry.register(one.instance);
    await registry.register(other.instance);
    await until(() => called(registry).length === 2);
    one.program.kill('SIGUSR2');
    await until(() => called(registry).length === 1);
    await alwaysCalls(registry, other.instance, async () => {
      other.program.kill('SIGUSR2');
      await sleep(3_500);
    });
  });

  it('goes on without a change when Consul dies, and says how old its knowledge is', async () => {
    const { instance: users } = await instance();
    const registry = registryOf();
    await registry.register(users);
    await until(() => called(registry).length === 1);
    await alwaysCalls(registry, users, async () => {
      await consul.kill();
      await sleep(3_000);
    });
    expect(registry.ageSeconds()).toBeGreaterThanOrEqual(2.9);
    expect(await metrics.render()).toMatch(/discovery_age_seconds\{.*\} [2-9]/);
  });

  it('starts cold from what was kept on disk while Consul is away', async () => {
    const { instance: users } = await instance();
    const before = registryOf();
    await before.register(users);
    await until(() => called(before).length === 1);
    await until(async () => (await readdir(folder)).includes('users.json'));
    await before.close();
    await consul.kill();
    const after = registryOf();
    await after.ready(['users']);
    expect(after.instances('users')).toEqual([users]);
    expect([before.source(), after.source()]).toEqual(['registry', 'disk']);
  });

  it('believes a first answer that names somebody more than what was kept on disk', async () => {
    const { instance: users } = await instance();
    const gone = { ...users, id: 'users-gone' };
    await writeFile(join(folder, 'users.json'), JSON.stringify([gone]));
    await registryOf().register(users);
    const registry = registryOf();
    expect(called(registry)).toEqual(['users-gone']);
    await until(() => String(called(registry)) === users.id, 8_000); // before what was kept is given up anyway
    await until(
      async () => String(JSON.parse(await readFile(join(folder, 'users.json'), 'utf8'))[0].id) === users.id,
    );
  });

  it('calls the others when one registered with a place nobody can connect to', async () => {
    const { instance: users } = await instance();
    const registry = registryOf();
    await register(consul.address, { ...users, id: 'users-ill', port: 70_000 });
    await register(consul.address, { ...users, id: 'users-astray', host: 'http://10.0.0.7' });
    await registry.register(users);
    await until(() => called(registry).length > 0);
    await sleep(200);
    expect(called(registry)).toEqual([users.id]);
  });

  it('starts without a broken file', async () => {
    await writeFile(join(folder, 'users.json'), '[{"id":');
    expect(registryOf().instances('users')).toEqual([]);
  });

  it('registers again with a Consul that came back empty, and calls on meanwhile', async () => {
    const [alive, gone] = [await instance(), await instance()];
    const registry = registryOf({ graceMs: 8_000 });
    await registry.register(alive.instance);
    // Known to this Consul only: whoever registered it is gone, as after the loss of a machine.
    await register(consul.address, gone.instance);
    await until(() => called(registry).length === 2);
    await alwaysCalls(registry, alive.instance, async () => {
      await consul.restart();
      await until(async () => (await registeredAt(consul.address)).includes(alive.instance.id));
      await until(() => called(registry).length === 1);
    });
    expect(called(registry)).toEqual([alive.instance.id]);
  });

  it('gives nobody up for an empty answer of a Consul that was gone again before anybody could register', async () => {
    const { instance: users } = await instance();
    const registry = registryOf({ graceMs: 2_000 });
    await register(consul.address, users);
    await until(() => called(registry).length === 1);
    await alwaysCalls(registry, users, async () => {
      await consul.kill();
      await until(() => registry.ageSeconds() > 0.5);
      await consul.restart();
      await until(() => registry.ageSeconds() < 0.3); // it answers, with nobody on its books
      await consul.kill();
      await sleep(4_000);
    });
  });

  it('takes no part of its books for all of them when Consul was away at the start', async () => {
    const [early, late] = [(await instance()).instance, (await instance()).instance];
    await writeFile(join(folder, 'users.json'), JSON.stringify([early, late]));
    await consul.kill();
    const registry = registryOf({ graceMs: 8_000 });
    expect(called(registry)).toHaveLength(2);
    await until(() => registry.ageSeconds() > 0.5);
    await alwaysCalls(registry, late, async () => {
      await consul.restart();
      await register(consul.address, early);
      await until(() => registry.ageSeconds() < 0.3);
      await sleep(1_000);
      await register(consul.address, late);
      await sleep(1_000);
    });
    expect(registry.source()).toBe('registry');
  });

  it('registers once Consul is there when it was away at the start', async () => {
    const { instance: users } = await instance();
    await network.set('refuse');
    const registry = registryOf({ address: network.address });
    await registry.register(users);
    expect(called(registry)).toEqual([]);
    await network.set('none');
    await until(() => called(registry).length === 1);
  });

  it('does not come back by itself after it was withdrawn', async () => {
    const { instance: users } = await instance();
    const registry = registryOf();
    const registration = await registry.register(users);
    await registration.withdraw();
    await sleep(4_500); // two rounds of looking whether the agent has lost us
    expect(await registeredAt(consul.address)).toEqual([]);
  });

  it('hears again after a network that swallowed everything', async () => {
    const { instance: users } = await instance();
    const registry = registryOf({ address: network.address });
    await registry.ready(['users']);
    await network.set('blackhole');
    await register(consul.address, users);
    await sleep(1_000);
    expect(called(registry)).toEqual([]);
    await network.set('none');
    await until(() => called(registry).length === 1);
  });

  it('hears again by itself when a connection died without a word', async () => {
    const { instance: users } = await instance();
    const registry = registryOf({ address: network.address });
    await registry.ready(['users']);
    await network.set('drop replies');
    await register(consul.address, users);
    await until(() => network.accepted > 1, 25_000); // the silent query was given up and a new one sent
    await network.set('none');
    await until(() => called(registry).length === 1);
  }, 60_000);

  it('withdraws and closes quickly when Consul hangs', async () => {
    const { instance: users } = await instance();
    const registry = registryOf();
    const registration = await registry.register(users);
    consul.pause();
    const startedAt = performance.now();
    await registration.withdraw();
    await registry.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    consul.resume();
  });
});

it('is withdrawn also when the agent does not hear it the first time', async () => {
  const asked: string[] = [];
  const agent = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url}`);
    if (asked.length !== 2) reply.end();
  });
  await new Promise<void>((listening) => agent.listen(0, '127.0.0.1', listening));
  const { port } = agent.address() as AddressInfo;
  const log = createLog({ service: 'test', level: 'silent' });
  const options = { log, metrics: createMetrics('test'), snapshotDirectory: tmpdir() };
  const registry = consulRegistry({ address: `127.0.0.1:${port}`, ...options });
  const place = { id: 'users-1', service: 'users', host: '127.0.0.1', port, version: '1' };
  const registration = await registry.register(place);
  await registration.withdraw();
  await registry.close();
  agent.closeAllConnections();
  agent.close();
  const taken = asked.filter((one) => one === 'PUT /v1/agent/service/deregister/users-1');
  expect([asked[0], taken.length]).toEqual(['PUT /v1/agent/service/register', 2]);
});

async function register(address: string, { id, service, host, port }: Instance): Promise<void> {
  const body = { ID: id, Name: service, Address: host, Port: port, Meta: { version: '1' } };
  const reply = await fetch(`http://${address}/v1/agent/service/register`, {
    method: 'PUT',
    body: JSON.stringify(body),
  });
  expect(reply.status).toBe(200);
}

async function registeredAt(address: string): Promise<string[]> {
  const reply = await fetch(`http://${address}/v1/agent/services`);
  return Object.keys((await reply.json()) as object);
}
