import pg from 'pg';
import { columnTypes } from './column-types.ts';
import { hostOf, type ServerAddress } from './settings.ts';

/** Runs the work on one connection of the administrator; for migrations and checks, never for a service. */
export async function asAdministrator<T>(
  server: ServerAddress,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(administratorOf(server));
  // The statement that runs is rejected too; without a listener the loss would end the process.
  client.on('error', () => undefined);
  await client.connect().catch((error: Error) => {
    throw Object.assign(error, {
      message: `The database at ${server.host}:${server.port} does not let us in: ${error.message}`,
    });
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Connections of the administrator that are kept from one piece of work to the next. */
export interface Administrator {
  /** A connection on which the work fails is given up, with whatever the work has begun there. */
  run<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openAdministrator(server: ServerAddress, schema: string): Administrator {
  const pool = new pg.Pool({
    ...administratorOf(server),
    options: `-c search_path=${schema}`,
    max: 4,
  });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    async run(work) {
      const client = await pool.connect();
      let isGood = false;
      try {
        const result = await work(client);
        isGood = true;
        return result;
      } finally {
        client.release(!isGood);
      }
    },
    close: () => pool.end(),
  };
}

function administratorOf(server: ServerAddress): pg.ClientConfig {
  return {
    host: hostOf(server),
    port: server.port,
    user: server.user,
    password: server.password,
    database: server.database,
    application_name: 'marimo administrator',
    connectionTimeoutMillis: 10_000,
    types: columnTypes,
  };
}

/** Creates the database where the administrator may and it does not exist yet. */
export async function createDatabaseIfMissing(server: ServerAddress): Promise<void> {
  const missing = await asAdministrator(server, async () => false).catch((error: unknown) => {
    if ((error as { code?: string }).code === '3D000') return true;
    throw error;
  });
  if (!missing) return;
  await asAdministrator({ ...server, database: 'postgres' }, async (client) => {
    try {
      await client.query(`create database ${pg.escapeIdentifier(server.database)}`);
    } catch (error) {
      // Another starter was faster: as its name in pg_database, or as the same command still running.
      if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
    }
  });
}
