import { createLog, createMetrics } from '@marimo/observability';
import {
  asAdministrator,
  type Database,
  type LoginRole,
  openAdministrator,
  openDatabase,
  type ServerAddress,
} from '@marimo/postgres';
import { testCluster } from './database-cluster.ts';
import { cloneTemplate, type SchemaUnderTest, testPassword } from './database-template.ts';
import { until } from './until.ts';

export type { SchemaUnderTest } from './database-template.ts';

export interface TestDatabaseOptions extends SchemaUnderTest {
  /** Further schemas in the same database, for tests that span services. */
  readonly beside?: readonly SchemaUnderTest[];
  /** For each of the two pools; default 10. */
  readonly maxConnections?: number;
}

/** A database of this test's own, with nothing in it but what the migrations put there. */
export interface TestDatabase {
  /** As the service sees it. */
  readonly database: Database;
  /** As its outbox relay sees it. */
  readonly relay: Database;
  /** The administrator's address of this database. */
  readonly server: ServerAddress;
  /** Another view of it: another schema, another role, or a pool that the test may close. */
  open(schema: string, role: LoginRole): Database;
  /** All rows of a table, of every tenant, as they lie there. */
  rows<Row = Record<string, unknown>>(table: string): Promise<Row[]>;
  /**
   * Any statement, as the administrator: to plant what no service could write. Its connection is used again, so what is
   * set for it is `set local`.
   */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Until nobody is at work in it: the sessions of a process that was killed end a moment after it. */
  untilIdle(): Promise<void>;
  /** Closes all pools and removes the database. */
  drop(): Promise<void>;
}

const sessionsAtWork = `
  select from pg_stat_activity
  where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`;

/** Clones a migrated database; the caller drops it. Most tests want `useDatabase`. */
export async function testDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const { schema, folders, beside = [], maxConnections = 10 } = options;
  const cluster = await testCluster();
  const server = await cloneTemplate(cluster, [{ schema, folders }, ...beside]);
  const opened: Database[] = [];
  // Kept: a new connection costs the server as much as twenty statements.
  const administrator = openAdministrator(server, schema);

  function open(of: string, role: LoginRole): Database {
    const database = openDatabase({
      server,
      schema: of,
      role,
      password: testPassword(of, role),
      metrics: createMetrics(of),
      log: createLog({ service: of, level: 'silent' }),
      maxConnections,
    });
    opened.push(database);
    return database;
  }

  function sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return administrator.run(async (client) => (await client.query(text, [...values])).rows as Row[]);
  }

  return {
    database: open(schema, 'app'),
    relay: open(schema, 'relay'),
    server,
    open,
    rows: (table) => sql(`select * from ${table} order by ctid`),
    sql,
    async untilIdle() {
      await until(async () => (await sql(sessionsAtWork)).length === 0);
    },
    async drop() {
      await Promise.all(opened.splice(0).map((database) => database.close()));
      await asAdministrator(cluster, (client) =>
        client.query(`drop database ${server.database} with (force)`),
      );
      await administrator.close();
    },
  };
}

/**
 * A database for the tests of this file or `describe`: made before the first, dropped after the last. The members
 * exist once the tests run.
 */
export function useDatabase(options: TestDatabaseOptions): TestDatabase {
  let made: TestDatabase | undefined;
  beforeAll(async () => {
    made = await testDatabase(options);
  });
  afterAll(() => made?.drop());
  const use = (): TestDatabase => {
    if (made === undefined) throw new Error('The test database exists only while tests run');
    return made;
  };
  return {
    get database() {
      return use().database;
    },
    get relay() {
      return use().relay;
    },
    get server() {
      return use().server;
    },
    open: (schema, role) => use().open(schema, role),
    rows: (table) => use().rows(table),
    sql: (text, values) => use().sql(text, values),
    untilIdle: () => use().untilIdle(),
    drop: () => use().drop(),
  };
}
