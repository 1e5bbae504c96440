import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createLog, createMetrics } from '@marimo/observability';
import { useDatabase } from '@marimo/testing/database';
import { asAdministrator } from './administrator.ts';
import { checkCatalogue } from './catalogue/check.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import type { ServerAddress } from './settings.ts';

// Only for the cluster it stands in; each test makes further databases beside it.
const cluster = useDatabase({ schema: 'beside', folders: [] });
const log = createLog({ service: 'migrate', level: 'silent' });
const passwords = { app: 'the app', relay: 'the relay' };

let place: string;
let made: ServerAddress[];
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'marimo-migrate-'));
  made = [];
});
afterEach(async () => {
  await rm(place, { recursive: true });
  for (const { database } of made) await cluster.sql(`drop database if exists ${database} with (force)`);
});

function newServer(): ServerAddress {
  const server = { ...cluster.server, database: `migrate_${Date.now()}_${Math.floor(Math.random() * 1e9)}` };
  made.push(server);
  return server;
}

async function folder(name: string, files: Record<string, string>): Promise<URL> {
  const directory = join(place, name);
  await mkdir(directory, { recursive: true });
  for (const [file, sql] of Object.entries(files)) await writeFile(join(directory, file), sql);
  return pathToFileURL(directory);
}

const up = (server: ServerAddress, folders: URL[], schema = 'ledger') =>
  migrate(server, { schema, folders, passwords, log });

const query = <Row>(server: ServerAddress, sql: string): Promise<Row[]> =>
  asAdministrator(server, async (client) => (await client.query(sql)).rows as Row[]);

const tables = async (server: ServerAddress) =>
  (
    await query<{ t: string }>(
      server,
      "select tablename as t from pg_tables where schemaname = 'ledger' order by 1",
    )
  ).map(({ t }) => t);

describe('migrating', () => {
  it('makes the database, the roles and the schema, and applies the folders in order', async () => {
    const server = newServer();
    const shared = await folder('shared', { '0001_outbox.sql': 'create table outbox (id int)' });
    const own = await folder('own', {
      '0002_second.sql': 'alter table first add column late int',
      '0001_first.sql': 'create table first as select id from outbox',
    });
    await up(server, [shared, own]);
    expect(await tables(server)).toEqual(['first', 'outbox']);
    const owners = await query(
      server,
      "select distinct tableowner from pg_tables where schemaname = 'ledger'",
    );
    expect(owners).toEqual([{ tableowner: 'ledger_owner' }]);
    const roles = await query(
      server,
      `select rolname, rolcanlogin, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as mighty
       from pg_roles where rolname like 'ledger%' order by 1`,
    );
    expect(roles).toEqual([
      { rolname: 'ledger_app', rolcanlogin: true, mighty: false },
      { rolname: 'ledger_owner', rolcanlogin: false, mighty: false },
      { rolname: 'ledger_relay', rolcanlogin: true, mighty: false },
    ]);
  });

  it('can be repeated, and then applies only what is new', async () => {
    const server = newServer();
    await up(server, [await folder('own', { '0001_a.sql': 'create table a (id int)' })]);
    await up(server, [await folder('own', {})]);
    await up(server, [await folder('own', { '0002_b.sql': 'create table b (id int)' })]);
    expect(await tables(server)).toEqual(['a', 'b']);
  });

  it('lets the app use tables and sequences, and not empty or own them', async () => {
    const server = newServer();
    await up(server, [
      await folder('own', { '0001_a.sql': 'create table a (id int generated always as identity, n serial)' }),
    ]);
    const metrics = createMetrics('ledger');
    const database = openDatabase({
      server,
      schema: 'ledger',
      role: 'app',
      password: 'the app',
      metrics,
      log,
    });
    const run = (sql: string) => database.withoutTenant((tx) => tx.run(sql));
    expect(await run('insert into a default values')).toBe(1);
    expect(await run('update a set n = 5')).toBe(1);
    for (const refused of ['truncate a', 'drop table a', 'create table b (id int)']) {
      await expect(run(refused)).rejects.toThrow(/permission denied|must be owner/);
    }
    await database.close();
  });

  it('is done once when two processes start together, in one database or in two', async () => {
    const server = newServer();
    const other = newServer();
    const own = await folder('own', { '0001_a.sql': 'create table a (id int); select pg_sleep(0.2)' });
    await Promise.all([up(server, [own]), up(server, [own]), up(other, [own]), up(server, [own], 'stock')]);
    expect(await tables(server)).toEqual(['a']);
    expect(await tables(other)).toEqual(['a']);
    const applied = await query(server, 'select schema_name from marimo.schema_migration order by 1');
    expect(applied).toEqual([{ schema_name: 'ledger' }, { schema_name: 'stock' }]);
  });
});

describe('roles, which belong to the whole cluster', () => {
  it('may be changed by a start on another database at the same moment', async () => {
    const server = newServer();
    await up(server, []);
    await asAdministrator(cluster.server, async (other) => {
      await other.query('begin; alter role ledger_app connection limit 50');
      const migrating = up(server, []);
      const waiting =
        "select from pg_stat_activity where wait_event_type = 'Lock' and query like 'alter role%'";
      while ((await cluster.sql(waiting)).length === 0) await pause(10);
      await other.query('commit');
      await migrating;
    });
    const [role] = await cluster.sql("select rolconnlimit from pg_roles where rolname = 'ledger_app'");
    expect(role).toEqual({ rolconnlimit: 50 });
    await cluster.sql('alter role ledger_app connection limit -1');
  });
});

describe('an administrator who is no superuser, as hosted databases give one', () => {
  it('can migrate, given that he may create roles and databases', async () => {
    await cluster.sql('create role lesser login createrole createdb');
    const server = { ...newServer(), user: 'lesser' };
    try {
      const own = await folder('own', {
        '0001_a.sql': 'create table a (tenant_id uuid not null primary key)',
        '0002_b.sql': "select marimo.protect_tenant_table('a')",
      });
      await up(server, [own], 'modest');
      await up(server, [own], 'modest');
      expect(await checkCatalogue(server)).toEqual([]);
    } finally {
      await cluster.sql(`drop database ${server.database} with (force)`);
      await cluster.sql('drop role modest_owner, modest_app, modest_relay, lesser');
    }
  });
});

describe('a migration that cannot be applied', () => {
  it('leaves nothing of itself when it fails half way, and says which one', async () => {
    const server = newServer();
    const own = await folder('own', {
      '0001_good.sql': 'create table good (id int)',
      '0002_half.sql': 'create table half (id int); insert into half values (1); select 1 / 0',
    });
    await expect(up(server, [own])).rejects.toThrow('own/0002_half.sql of ledger failed: division by zero');
    expect(await tables(server)).toEqual(['good']);
    await folder('own', { '0002_half.sql': 'create table half (id int)' });
    await up(server, [own]);
    expect(await tables(server)).toEqual(['good', 'half']);
  });

  it('was changed after it had been applied', async () => {
    const server = newServer();
    const own = await folder('own', { '0001_a.sql': 'create table a (id int)' });
    await up(server, [own]);
    await folder('own', { '0001_a.sql': 'create table a (id bigint)' });
    await expect(up(server, [own])).rejects.toThrow('0001_a.sql was changed after it had been applied');
  });

  it('has only other line ends, and is still the same', async () => {
    const server = newServer();
    const own = await folder('own', { '0001_a.sql': 'create table a\n(id int)' });
    await up(server, [own]);
    await folder('own', { '0001_a.sql': 'create table a\r\n(id int)' });
    await up(server, [own]);
  });

  it('comes before one that is applied already', async () => {
    const server = newServer();
    const own = await folder('own', { '0002_b.sql': 'create table b (id int)' });
    await up(server, [own]);
    await folder('own', { '0001_a.sql': 'create table a (id int)' });
    await expect(up(server, [own])).rejects.toThrow('0001_a.sql comes too late');
    expect(await tables(server)).toEqual(['b']);
  });

  it('is in the database and not in this version', async () => {
    const server = newServer();
    const own = await folder('own', { '0001_a.sql': 'create table a (id int)', '0002_b.sql': 'select 1' });
    await up(server, [own]);
    await rm(join(place, 'own', '0002_b.sql'));
    await expect(up(server, [own])).rejects.toThrow(
      'has migration 0002_b.sql, which this version does not know',
    );
  });

  it.each([
    [{ 'first.sql': '' }, 'not named like 0001_journal.sql'],
    [{ '0001_a.sql': '', '0001_b.sql': '' }, 'number 1 is used twice'],
  ])('is not named by the rule: %j', async (files, complaint) => {
    const own = await folder('own', files as Record<string, string>);
    await expect(up(newServer(), [own])).rejects.toThrow(complaint);
  });

  it('works for a role that may see every tenant, and is refused before anything is done', async () => {
    const server = newServer();
    await cluster.sql('create role mighty_app bypassrls');
    try {
      await expect(up(server, [], 'mighty')).rejects.toThrow('mighty_app can bypass row-level security');
    } finally {
      await cluster.sql('drop role if exists mighty_app, mighty_owner');
    }
  });
});
