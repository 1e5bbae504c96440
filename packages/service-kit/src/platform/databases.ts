import { join } from 'node:path';
import { queueMigrations } from '@marimo/messaging';
import { createMetrics, type Log } from '@marimo/observability';
import {
  type Database,
  type LoginRole,
  migrate,
  openDatabase,
  passwordOf,
  roleName,
  runningEmbeddedServer,
  type ServerAddress,
  startEmbeddedServer,
} from '@marimo/postgres';
import { kitMigrations } from '../idempotency/migrations.ts';
import type { ServiceDefinition } from '../service.ts';
import type { Settings } from '../settings/settings.ts';
import type { Observed } from './platform.ts';

export interface Databases {
  migrate(services: readonly ServiceDefinition[]): Promise<void>;
  open(of: Observed, role: LoginRole): Database;
  /** Where queues are kept in an installation without a broker. */
  openQueues(log: Log): Promise<Database>;
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

interface Server {
  readonly address: ServerAddress;
  readonly lost: Promise<Error>;
  stop(): Promise<void>;
}

const queues = 'messaging';

/** Connections a service may hold at once. The relay publishes one window after another, so it needs few. */
const connections: Record<LoginRole, number> = { app: 10, relay: 3 };

export async function startDatabases(settings: Settings, log: Log, mayJoin: boolean): Promise<Databases> {
  const { address, lost, stop } = await startServer(settings, log, mayJoin);
  const migrated = new Set<string>();

  const passwordFor = (schema: string, role: LoginRole) => {
    const own = settings.rolePasswords[schema as keyof Settings['rolePasswords']];
    if (role === 'app' && own !== undefined) return own;
    return passwordOf(roleName(schema, role), own ?? address.password);
  };
  const open = (schema: string, role: LoginRole, of: Pick<Observed, 'log' | 'metrics'>) =>
    openDatabase({
      ...of,
      server: address,
      schema,
      role,
      password: passwordFor(schema, role),
      maxConnections: connections[role],
    });
  const bringUpToDate = async (schema: string, folders: readonly URL[]) => {
    if (!settings.migrateAtStart || migrated.has(schema)) return;
    const passwords = { app: passwordFor(schema, 'app'), relay: passwordFor(schema, 'relay') };
    await migrate(address, { schema, folders, passwords, log });
    migrated.add(schema);
  };

  return {
    async migrate(services) {
      for (const { name, migrations } of services) {
        if (migrations !== undefined) await bringUpToDate(name, [...kitMigrations, migrations]);
      }
    },
    open: (of, role) => open(of.service, role, of),
    async openQueues(queueLog) {
      await bringUpToDate(queues, [queueMigrations]);
      // Metrics of its own: in those of a service the queries of the queues would hide the service's.
      return open(queues, 'app', { log: queueLog, metrics: createMetrics(queues) });
    },
    lost,
    close: stop,
  };
}

async function startServer(settings: Settings, log: Log, mayJoin: boolean): Promise<Server> {
  const directory = join(settings.home, 'postgres');
  const running = settings.database ?? (mayJoin ? await runningEmbeddedServer(directory) : undefined);
  if (running !== undefined) return { address: running, lost: new Promise(() => {}), stop: async () => {} };

  const onProgress = (message: string) => log.info(message);
  const embedded = await startEmbeddedServer({ directory, log, onProgress });
  let stopping = false;
  return {
    address: embedded.server,
    lost: new Promise((resolve) => {
      void embedded.exited.then((reason) => {
        if (!stopping) resolve(new Error(`the embedded database has ended by itself: ${reason}`));
      });
    }),
    stop() {
      stopping = true;
      return embedded.stop();
    },
  };
}
