import { readFile } from 'node:fs/promises';
import type { Log } from '@marimo/observability';
import pg from 'pg';
import { asAdministrator, createDatabaseIfMissing } from './administrator.ts';
import { type MigrationFile, pendingMigrations, readMigrations } from './migration-files.ts';
import { ensureRoles, type LoginRole, roleName } from './roles.ts';
import type { ServerAddress } from './settings.ts';

export interface MigrateOptions {
  readonly schema: string;
  /** Folders of `NNNN_name.sql` files, applied one folder after the other. */
  readonly folders: readonly URL[];
  readonly passwords: Readonly<Record<LoginRole, string>>;
  readonly log: Log;
}

/** Any number will do; it is the same in every process that migrates this database. */
const lockKey = 7_741_001;

/**
 * Brings one service's schema up to date: database, roles, schema, then what is new in the folders, each file in a
 * transaction of its own as the schema's owner. Safe to repeat, and to run from several processes at once.
 */
export async function migrate(server: ServerAddress, options: MigrateOptions): Promise<void> {
  const { schema, log } = options;
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(schema)) throw new Error(`${schema} cannot name a schema`);
  const folders = await Promise.all(options.folders.map(readMigrations));
  await createDatabaseIfMissing(server);
  await asAdministrator(server, async (client) => {
    await lock(client, log);
    await ensureRoles(client, schema, options.passwords);
    await client.query(await readFile(new URL('./shared-schema.sql', import.meta.url), 'utf8'));
    await ensureSchema(client, schema);
    for (const files of folders) await applyFolder(client, schema, files, log);
  });
}

/** Held until the connection ends. */
async function lock(client: pg.Client, log: Log): Promise<void> {
  const { rows } = await client.query('select pg_try_advisory_lock($1) as taken', [lockKey]);
  if (rows[0].taken) return;
  log.info('another process is migrating this database; waiting for it');
  await client.query("set lock_timeout = '10min'");
  await client.query('select pg_advisory_lock($1)', [lockKey]);
  await client.query('reset lock_timeout');
}

async function ensureSchema(client: pg.Client, schema: string): Promise<void> {
  const name = pg.escapeIdentifier(schema);
  const [owner, app, relay] = (['owner', 'app', 'relay'] as const).map((role) =>
    pg.escapeIdentifier(roleName(schema, role)),
  );
  const database = pg.escapeIdentifier(client.database ?? '');
  // One string is one transaction. Temporary tables are what COPY goes through.
  await client.query(`
    create schema if not exists ${name} authorization ${owner};
    grant connect, temporary on database ${database} to ${app}, ${relay};
    set local role ${owner};
    grant usage on schema ${name} to ${app}, ${relay};
    alter default privileges in schema ${name} grant select, insert, update, delete on tables to ${app};
    alter default privileges in schema ${name} grant usage on sequences to ${app};
  `);
}

async function applyFolder(
  client: pg.Client,
  schema: string,
  files: readonly MigrationFile[],
  log: Log,
): Promise<void> {
  const folder = files[0]?.folder;
  if (folder === undefined) return;
  const applied = await client.query(
    'select number, file, checksum from marimo.schema_migration where schema_name = $1 and folder = $2 order by number',
    [schema, folder],
  );
  for (const migration of pendingMigrations(files, applied.rows)) {
    await apply(client, schema, migration);
    log.info('applied a migration', { schema, file: `${folder}/${migration.file}` });
  }
}

async function apply(client: pg.Client, schema: string, migration: MigrationFile): Promise<void> {
  const { folder, number, file, checksum, sql } = migration;
  const owner = pg.escapeIdentifier(roleName(schema, 'owner'));
  try {
    await client.query(
      `begin; set local role ${owner}; set local search_path = ${pg.escapeIdentifier(schema)}, pg_temp`,
    );
    await client.query(sql);
    await client.query('reset role');
    await client.query(
      'insert into marimo.schema_migration (schema_name, folder, number, file, checksum) values ($1, $2, $3, $4, $5)',
      [schema, folder, number, file, checksum],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Migration ${folder}/${file} of ${schema} failed: ${reason}`, { cause: error });
  }
}
