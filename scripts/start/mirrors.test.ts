import { rebuildMirror } from '@marimo/mirrors';
import { type Platform, readSettings, startPlatform, startService } from '@marimo/service-kit';
import { until } from '@marimo/testing/outside';
import { partnerService, toolService } from '@marimo/testing/records';
import { registerOrganisation } from './api-client.ts';
import { environmentOf, freshMachine } from './platform-under-test.ts';
import { findServices } from './services.ts';

jest.setTimeout(120_000);

describe('a mirror on the platform, with users, a broker and calls over the network', () => {
  const started = new AsyncDisposableStack();
  let platform: Platform;
  let ports: Record<string, string>;
  beforeAll(async () => {
    const machine = await freshMachine();
    started.defer(() => machine.remove());
    ports = machine.ports;
    const users = (await findServices()).filter(({ name }) => name === 'users');
    const services = [...users, partnerService, toolService];
    platform = await startPlatform(readSettings(environmentOf(machine), services));
    started.defer(() => platform.close());
    for (const service of services) {
      const running = await startService(service, platform);
      started.defer(() => running.stop());
    }
  });
  afterAll(() => started.disposeAsync());
  const origin = (service: string) => `http://127.0.0.1:${ports[`${service.toUpperCase()}_PORT`]}`;

  it('looks up what is new, is filled, follows its events, and is rebuilt', async () => {
    const organisation = await registerOrganisation(origin('users'), 'Mirrored', 'RUB');
    const post = (service: string, path: string, body: object) =>
      organisation.at(origin(service)).post(path, body);
    const partner = await post('main', '/api/v1/main/partners', { code: 'P-1', name: 'Завод' });
    const { partnerId } = partner.body;
    const tool = { code: 'D-1', name: 'Дрель', kind: 'power', supplierId: partnerId };
    expect((await post('config', '/api/v1/config/tools', tool)).status).toBe(201);

    const config = platform.openDatabase(platform.observe('config'), 'app');
    const relay = platform.openDatabase(platform.observe('config'), 'relay');
    started.defer(() => config.close());
    started.defer(() => relay.close());
    const seen = (sql: string) =>
      until(() => config.inTenant(organisation.organisationId, (tx) => tx.first(sql, [])), 60_000);
    await seen(`select from mirror_standing where state = 'filled'`);
    await post('main', `/api/v1/main/partners/${partnerId}/block`, {});
    await seen(`select from partner_mirror where state = 'blocked' and version = 2`);

    await config.inTenant(organisation.organisationId, (tx) => tx.run('delete from partner_mirror'));
    expect(await rebuildMirror(relay, 'main.partner')).toBe(1);
    await seen(`select from partner_mirror where code = 'P-1'`);
  });
});
