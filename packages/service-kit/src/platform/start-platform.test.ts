import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { mailLinks } from '@marimo/contracts/users';
import { freePorts, until } from '@marimo/testing/outside';
import { makeSigner } from '@marimo/testing/tokens';
import { notesAlone as alone, trustsNobody } from '../../test/notes-service.ts';
import { defineService, readSettings, serviceSecretOf } from '../index.ts';
import { PortTaken } from './serve.ts';
import { startPlatform } from './start-platform.ts';
import { startService } from './start-service.ts';

const home = mkdtempSync(join(tmpdir(), 'marimo-platform-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const settings = (env: Record<string, string> = {}) =>
  readSettings({ MARIMO_HOME: home, LOG_LEVEL: 'silent', CONFIG_PORT: '0', ...env });

describe('a platform with nothing installed', () => {
  it('starts with its own database, serves, stops, and starts again on the same data', async () => {
    for (const expectedNotes of [0, 1]) {
      const platform = await startPlatform(settings());
      const service = await startService(alone, platform);
      expect(await service.ready()).toMatchObject({ ready: true, checks: { database: true } });
      expect(platform.registry.instances('config')).toMatchObject([{ port: service.address.port }]);

      const database = platform.openDatabase(platform.observe('config'), 'app');
      const found = await database.inTenant(tenant, async (tx) => {
        const before = await tx.rows('select text from note');
        await tx.run("insert into note (tenant_id, text) values ($1, 'kept')", [tenant]);
        return before;
      });
      await database.close();
      expect(found).toHaveLength(expectedNotes);

      await service.stop();
      expect(platform.registry.instances('config')).toEqual([]);
      await platform.close();
    }
  }, 60_000);

  it('lets two services share the process, each with its own port and metrics', async () => {
    const platform = await startPlatform(settings({ SHOP_PORT: '0' }), { withDatabase: false });
    const bare = (name: 'config' | 'shop') =>
      defineService({ name, routes: [], verifier: () => trustsNobody });
    const running = await Promise.all([
      startService(bare('config'), platform),
      startService(bare('shop'), platform),
    ]);
    for (const [place, name] of ['config', 'shop'].entries()) {
      const url = `http://127.0.0.1:${running[place]?.address.port}`;
      await (await fetch(`${url}/health`)).text();
      const shown = await (await fetch(`${url}/metrics`)).text();
      expect(new Set([...shown.matchAll(/service="(\w+)"/g)].map(([, service]) => service))).toEqual(
        new Set([name]),
      );
    }
    await Promise.all(running.map((service) => service.stop()));
    await platform.close();
  });
});

describe('a service that starts long before users', () => {
  it('is not ready, and becomes so soon after users is there', async () => {
    const [port = 0] = await freePorts(1);
    const platform = await startPlatform(settings({ USERS_PORT: String(port) }), { withDatabase: false });
    const service = await startService(defineService({ name: 'config', routes: [] }), platform);
    await pause(7_000);
    expect(await service.ready()).toMatchObject({ ready: false, checks: { signingKeys: false } });

    const users = createHttpServer((req, res) => {
      const body = req.url?.endsWith('jwks.json') ? { keys: [makeSigner().jwk] } : { items: [], next: '' };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    }).listen(port, '127.0.0.1');
    await until(async () => (await service.ready()).ready, 8_000);
    await service.stop();
    await platform.close();
    users.close();
  });
});

describe('who acts for itself', () => {
  const internal = { INTERNAL_SECRET: 'all of them' };
  it.each([
    ['is made of the secret of all', internal, serviceSecretOf('all of them', 'workers')],
    ['is its own where it has no other', { SERVICE_SECRET: 'its own' }, 'its own'],
    [
      'is of all where it has both',
      { ...internal, SERVICE_SECRET: 'its own' },
      serviceSecretOf('all of them', 'workers'),
    ],
  ])('shows users a secret that %s, and everybody else the token it got', async (_, env, secret) => {
    const seen: unknown[] = [];
    const answer = async (req: IncomingMessage, res: ServerResponse) => {
      seen.push([req.headers.authorization, await text(req)]);
      if (req.method === 'GET') return res.writeHead(204).end();
      const body = { accessToken: 'a-token', expiresIn: 300, tokenType: 'Bearer' };
      return res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    };
    const users = createHttpServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
    await new Promise((resolve) => users.once('listening', resolve));
    const { port } = users.address() as { port: number };
    const given = settings({ USERS_PORT: String(port), ...(env as Record<string, string>) });
    const platform = await startPlatform(given, { withDatabase: false });
    const client = platform.client(platform.observe('workers'));
    expect((await client.call(mailLinks.follow, { params: { linkId: tenant } })).status).toBe(204);
    expect(seen).toEqual([
      [undefined, JSON.stringify({ service: 'workers', secret })],
      ['Bearer a-token', ''],
    ]);
    await client.close();
    await platform.close();
    users.close();
  });
});

describe('a service that cannot start', () => {
  it('says that its port is taken, how to change it, and leaves nothing running', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const { port } = squatter.address() as { port: number };
    const stopped: string[] = [];
    const platform = await startPlatform(settings({ CONFIG_PORT: String(port) }), { withDatabase: false });
    const definition = defineService({
      name: 'config',
      routes: [],
      background: [{ name: 'clock', start: async () => async () => void stopped.push('clock') }],
      verifier: () => trustsNobody,
    });
    const start = startService(definition, platform);
    await expect(start).rejects.toThrow(PortTaken);
    await expect(start).rejects.toThrow(/CONFIG_PORT/);
    expect(stopped).toEqual(['clock']);
    await platform.close();
    squatter.close();
  });

  it('names the service that wants a database where there is none', async () => {
    const platform = await startPlatform(settings(), { withDatabase: false });
    await expect(startService(alone, platform)).rejects.toThrow('config needs a database');
    await platform.close();
  });
});

const tenant = '01920000-0000-7000-8000-00000000000a';
