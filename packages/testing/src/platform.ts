import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryCache } from '@marimo/cache';
import { Unavailable } from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import { staticRegistry } from '@marimo/discovery';
import { folderStore, noQuarantine, type Quarantine } from '@marimo/files';
import { createLog, createMetrics } from '@marimo/observability';
import { openDatabase } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import { type Platform, readSettings, type ServiceDefinition } from '@marimo/service-kit';
import type { TestDatabase } from './database.ts';
import { testPassword } from './database-template.ts';
import type { MemoryTransport } from './memory-transport.ts';
import { sharedSigner } from './tokens.ts';

/** What the secrets of services come from in tests. */
export const testInternalSecret = 'a secret of the services under test';

export interface PlatformForTests {
  readonly definition: ServiceDefinition;
  readonly database: TestDatabase;
  readonly transport: MemoryTransport;
  readonly client?: Pick<ServiceClient, 'call'>;
  readonly clock?: () => Date;
  readonly quarantine?: Quarantine;
}

/** The platform of one service under test: its own database and home, everything else in memory. */
export function platformForTests(given: PlatformForTests): Platform {
  const { definition, database, transport, clock = () => new Date() } = given;
  const home = mkdtempSync(join(tmpdir(), 'marimo-test-home-'));
  const environment = {
    MARIMO_HOME: home,
    LOG_LEVEL: 'silent',
    JWT_SECRET: 'a secret of the tests',
    INTERNAL_SECRET: testInternalSecret,
    [`${definition.name.toUpperCase()}_PORT`]: '0',
  };
  const settings = readSettings(environment, [definition]);
  const cache = memoryCache();
  return {
    settings,
    clock,
    transport,
    fileStore: folderStore(join(home, 'files')),
    quarantine: given.quarantine ?? noQuarantine,
    registry: staticRegistry({ table: {} }),
    cache,
    sharedMetrics: async () => '',
    observe: (service) => ({
      service,
      log: createLog({ service, level: settings.logLevel }),
      metrics: createMetrics(service),
    }),
    startTracing: async () => ({ close: async () => {} }),
    migrate: async () => {},
    openDatabase: (of, role) =>
      openDatabase({
        ...of,
        server: database.server,
        schema: of.service,
        role,
        password: testPassword(of.service, role),
      }),
    client: () => clientForTests(given.client),
    lost: new Promise(() => {}),
    async close() {
      await cache.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** `users` as far as a verifier needs it; what else is called, the test answers. */
function clientForTests(given: PlatformForTests['client']): ServiceClient {
  const call: ServiceClient['call'] = async (endpoint, input) => {
    const { path }: { path: string } = endpoint;
    if (path === accessTokens.getSigningKeys.path)
      return { status: 200, body: { keys: [sharedSigner().jwk] } } as never;
    if (path === accessTokens.listRevocations.path)
      return { status: 200, body: { items: [], next: '' } } as never;
    if (given === undefined) throw new Unavailable({ service: path.split('/')[3] ?? path });
    return given.call(endpoint, input);
  };
  return { call, close: async () => {} };
}
