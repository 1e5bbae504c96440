import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulRegistry, type Instance } from '@marimo/discovery';
import { createLog, createMetrics } from '@marimo/observability';
import { describedAs, describedUpstream, route } from '../../test/described-service.ts';
import { closeAll, gatewayTo, until } from '../../test/gateway-under-test.ts';
import { keptFile } from '../kept-file.ts';
import { KeptTable } from './kept.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'marimo-gateway-'));
});
afterEach(async () => {
  await closeAll();
  await rm(home, { recursive: true, force: true });
});

const file = () => join(home, 'gateway', 'routes.json');
const start = (instances: readonly Instance[], more = {}) =>
  gatewayTo(instances, { home: join(home, 'gateway'), ...more });
const ready = async (url: string) => (await fetch(`${url}/ready`)).json();

/** A gateway that has learned a route, and left. */
async function earlierStart() {
  const fresh = await describedUpstream(describedAs('2', [route('added')]));
  const gateway = await start([fresh.instance]);
  await until(async () => (await fetch(`${gateway.url}/api/v1/stock/added`)).status === 200);
  await until(async () => (await readFile(file(), 'utf8').catch(() => '')).includes('/stock/added'));
  await gateway.close();
  return fresh;
}

describe('a gateway that starts without discovery', () => {
  it('uses the last known routes, and says that they are old', async () => {
    await earlierStart();
    const gateway = await start([]);
    expect((await fetch(`${gateway.url}/api/v1/stock/added`)).status).toBe(503); // known, and public; only nobody is there
    const state = await (
      await fetch(`${gateway.operators}/state`, {
        headers: { authorization: 'Bearer the-token-of-operators-in-tests' },
      })
    ).json();
    expect(state).toMatchObject({ keptRoutes: ['stock'] });
  });

  it('serves from the stored discovery and routes while Consul is unavailable, and says so when ready', async () => {
    const { instance, asked } = await earlierStart();
    const snapshotDirectory = join(home, 'discovery');
    await mkdir(snapshotDirectory);
    await writeFile(join(snapshotDirectory, 'stock.json'), JSON.stringify([instance]));
    const log = createLog({ service: 'test', level: 'silent' });
    // A port nobody listens at.
    const registry = consulRegistry({
      address: '127.0.0.1:1',
      log,
      metrics: createMetrics('test'),
      snapshotDirectory,
    });
    try {
      const gateway = await start([], { registry });
      const before = asked().length;
      expect((await fetch(`${gateway.url}/api/v1/stock/added`)).status).toBe(200);
      expect(asked().length).toBe(before + 1);
      expect(await ready(gateway.url)).toEqual({ status: 'ready', discovery: 'disk', keptRoutes: ['stock'] });
    } finally {
      await registry.close();
    }
  });

  it('does not call routes old once an instance confirms them', async () => {
    const { instance } = await earlierStart();
    const gateway = await start([instance]);
    expect(await ready(gateway.url)).toEqual({ status: 'ready', discovery: 'registry', keptRoutes: [] });
  });

  const good = () => ({ digest: 'digest-2', description: describedAs('2', [route('added')]) });
  it.each<[string, () => unknown]>([
    ['half a file', () => JSON.stringify(good()).slice(0, 40)],
    ['of another format', () => ({ format: 2, generation: 1, services: { stock: [good()] } })],
    ['with no shape of ours', () => ({ format: 1, generation: 1, services: { stock: [{ digest: 1 }] } })],
    [
      'that contradicts itself',
      () => ({
        format: 1,
        generation: 1,
        services: { stock: [{ ...good(), description: describedAs('2', [route('added'), route('added')]) }] },
      }),
    ],
  ])('starts with the built-in routes if the stored ones are invalid: %s', async (_, content) => {
    await mkdir(join(home, 'gateway'));
    const written = content();
    await writeFile(file(), typeof written === 'string' ? written : JSON.stringify(written));
    const gateway = await start([]);
    expect((await fetch(`${gateway.url}/api/v1/stock/added`)).status).toBe(401); // no route of its own
    expect((await fetch(`${gateway.url}/api/v1/stock/open`)).status).toBe(503);
  });
});

describe('a stored file', () => {
  const table = (generation: number) => ({ format: 1 as const, generation, services: {} });

  it('is either the old or the new one at every moment', async () => {
    const kept = keptFile(file(), KeptTable);
    await kept.write(table(0));
    let writing = true;
    const torn: string[] = [];
    const watch = (async () => {
      while (writing) {
        const text = await readFile(file(), 'utf8');
        if (!text.endsWith('}')) torn.push(text);
      }
    })();
    const padding = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`service-${n}`, []]));
    for (let n = 1; n <= 40; n++) await kept.write({ ...table(n), services: padding });
    writing = false;
    await watch;
    expect(torn).toEqual([]);
    expect(kept.read()).toMatchObject({ generation: 40 });
  });

  it('stays unchanged if a new one cannot be written', async () => {
    const kept = keptFile(file(), KeptTable);
    await kept.write(table(1));
    await mkdir(`${file()}.${process.pid}.tmp`); // where the draft would be
    await expect(kept.write(table(2))).rejects.toThrow();
    expect(kept.read()).toMatchObject({ generation: 1 });
  });
});
