import { join } from 'node:path';
import { type Cache, memoryCache, redisCache } from '@marimo/cache';
import { consulRegistry, type Registry, staticRegistry } from '@marimo/discovery';
import { folderStore, noQuarantine, type ObjectStore, s3Store } from '@marimo/files';
import { postgresTransport, rabbitmqTransport, type Transport } from '@marimo/messaging';
import {
  createLog,
  createMetrics,
  type Log,
  type Metrics,
  measureProcess,
  startTracing,
} from '@marimo/observability';
import { createServiceClient } from '@marimo/resilience';
import { secretOf } from '../settings/service-secrets.ts';
import type { Settings } from '../settings/settings.ts';
import { type Databases, startDatabases } from './databases.ts';
import { noTransport } from './no-transport.ts';
import type { Platform } from './platform.ts';

export interface PlatformOptions {
  /** False where no service of this process has one, such as a gateway alone. */
  readonly withDatabase?: boolean;
  /** For commands: work with the embedded database of a platform that runs, where one does. */
  readonly mayJoin?: boolean;
}

/** Opens what the settings chose. When a part fails to start, those before it are closed again. */
export async function startPlatform(settings: Settings, options: PlatformOptions = {}): Promise<Platform> {
  const started = new AsyncDisposableStack();
  try {
    const parts = await startParts(settings, options, started);
    return { ...parts, close: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function startParts(
  settings: Settings,
  { withDatabase = true, mayJoin = false }: PlatformOptions,
  started: AsyncDisposableStack,
): Promise<Omit<Platform, 'close'>> {
  const { logLevel: level, otlpEndpoint: endpoint, serviceSecrets } = settings;
  const log = createLog({ service: 'platform', level });
  measureProcess();
  const metrics = createMetrics('platform');
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    started.defer(() => part.close());
    return part;
  };

  const databases = withDatabase ? keep(await startDatabases(settings, log, mayJoin)) : undefined;
  const transport = keep(await openTransport(settings, databases, log));
  const registry = keep(openRegistry(settings, log, metrics));
  // While Redis is away each gateway grants its share of a limit, so that all together grant no more than before.
  const shares = () => Math.max(1, registry.instances('gateway').length);
  const cache = keep(openCache(settings, shares, log, metrics));
  const fileStore = keep(openFileStore(settings));
  return {
    settings,
    clock: () => new Date(),
    transport,
    fileStore,
    quarantine: noQuarantine,
    cache,
    registry,
    sharedMetrics: () => metrics.renderOwn(),
    observe: (service) => ({ service, log: createLog({ service, level }), metrics: createMetrics(service) }),
    startTracing: (service) =>
      startTracing({ endpoint, service, onLoss: (error) => log.warn('traces are lost', { service, error }) }),
    migrate: async (services) => databases?.migrate(services),
    openDatabase(of, role) {
      if (databases === undefined) throw new Error(`${of.service} needs a database; this process has none`);
      return databases.open(of, role);
    },
    client: (of, breaker) =>
      createServiceClient({
        ...of,
        registry,
        secret: secretOf(serviceSecrets, of.service),
        ...(breaker && { breaker }),
      }),
    lost: databases?.lost ?? new Promise(() => {}),
  };
}

async function openTransport(
  { rabbitmqUrl }: Settings,
  databases: Databases | undefined,
  log: Log,
): Promise<Transport> {
  if (rabbitmqUrl !== undefined) return rabbitmqTransport({ url: rabbitmqUrl, log });
  if (databases === undefined) return noTransport();
  return postgresTransport({ database: await databases.openQueues(log), log });
}

function openFileStore({ s3, home }: Settings): ObjectStore {
  return s3 === undefined ? folderStore(join(home, 'files')) : s3Store(s3);
}

function openCache({ redis }: Settings, shares: () => number, log: Log, metrics: Metrics): Cache {
  return redis === undefined ? memoryCache({ log }) : redisCache({ ...redis, shares, log, metrics });
}

function openRegistry(settings: Settings, log: Log, metrics: Metrics): Registry {
  const { consulAddress: address, advertiseHost: host, ports, home } = settings;
  if (address !== undefined) {
    return consulRegistry({ address, log, metrics, snapshotDirectory: join(home, 'discovery') });
  }
  const table = Object.entries(ports).map(([service, port]) => [service, { host, port }] as const);
  return staticRegistry({ table: Object.fromEntries(table) });
}
