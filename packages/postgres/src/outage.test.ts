import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog, createMetrics } from '@marimo/observability';
import { useDatabase } from '@marimo/testing/database';
import { type FaultProxy, faultProxy } from '@marimo/testing/outside';
import { asAdministrator } from './administrator.ts';
import type { Database, Transaction } from './database.ts';
import { readPostmasterFile } from './embedded/left-over.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded/server.ts';
import { DatabaseUnavailable, StatementCancelled } from './failures.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';

const notes = new URL('../test/notes', import.meta.url);
const log = createLog({ service: 'notes', level: 'silent' });
const tenant = randomUUID();
const addNote = (tx: Transaction, noteId: number) =>
  tx.run('insert into note (tenant_id, note_id, body) values ($1, $2, $3)', [tenant, noteId, 'x']);

describe('a database server that dies', () => {
  let directory: string;
  let embedded: EmbeddedServer;
  let database: Database;

  const killHard = async () => {
    const postmaster = await readPostmasterFile(join(directory, 'data'));
    process.kill(postmaster?.pid as number, 'SIGKILL');
    await embedded.exited;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'marimo-outage-'));
    embedded = await startEmbeddedServer({ directory, log });
    const passwords = { app: 'app', relay: 'relay' };
    await migrate(embedded.server, { schema: 'notes', folders: [notes], passwords, log });
    const metrics = createMetrics('notes');
    const options = { server: embedded.server, schema: 'notes', password: 'app', metrics, log } as const;
    database = openDatabase({ ...options, role: 'app' });
  });
  afterAll(async () => {
    await database.close();
    await embedded.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is a clear refusal in the midst of a transaction, and while it is away', async () => {
    const interrupted = database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      await killHard();
      // The process behind our connection outlives its server for a moment.
      for (let noteId = 2; ; noteId += 1) {
        await addNote(tx, noteId);
        await pause(10);
      }
    });
    await expect(interrupted).rejects.toThrow(DatabaseUnavailable);
    await expect(interrupted).rejects.toMatchObject({ facts: { outcome: 'nothing-written' } });
    await expect(database.ping()).rejects.toThrow(DatabaseUnavailable);
  });

  it('is used again as soon as it is back, by the same pool', async () => {
    embedded = await startEmbeddedServer({ directory, log });
    await database.ping();
    expect(await database.inTenant(tenant, (tx) => tx.rows('select * from note'))).toEqual([]);
  });

  it('costs no request whose transaction had not begun when it restarted', async () => {
    await Promise.all(Array.from({ length: 5 }, () => database.ping()));
    await embedded.stop();
    embedded = await startEmbeddedServer({ directory, log });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => database.inTenant(tenant, (tx) => tx.rows('select 1 as one'))),
    );
    expect(answers).toEqual(Array.from({ length: 10 }, () => [{ one: 1 }]));
  });

  it('may stop right after we have closed: no connection is cut, and nobody is warned', async () => {
    const lines: string[] = [];
    const heard = createLog({ service: 'notes', write: (line) => lines.push(line) });
    const metrics = createMetrics('notes');
    const settings = { server: embedded.server, schema: 'notes', password: 'app', metrics } as const;
    const another = openDatabase({ ...settings, role: 'app', log: heard });
    await Promise.all(Array.from({ length: 10 }, () => another.ping()));
    await another.close();
    await embedded.stop();
    embedded = await startEmbeddedServer({ directory, log });
    expect(lines).toEqual([]);
  });
});

describe('a connection that died while it lay idle', () => {
  const test = useDatabase({ schema: 'notes', folders: [notes], maxConnections: 1 });

  it('costs no request, even when nothing has told us of its death', async () => {
    const who = 'select pg_backend_pid() as pid';
    const before = await test.database.withoutTenant((tx) => tx.first<{ pid: number }>(who));
    process.kill(before?.pid as number, 'SIGTERM');
    // Stands still until the connection is gone, so that the event loop cannot hear of it before it is used.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    const after = await test.database.withoutTenant((tx) => tx.first<{ pid: number }>(who));
    expect(after?.pid).not.toBe(before?.pid);
  });
});

describe('a network that fails', () => {
  const test = useDatabase({ schema: 'notes', folders: [notes] });
  let proxy: FaultProxy;
  let database: Database;

  beforeEach(async () => {
    proxy = await faultProxy({ target: `${test.server.host}:${test.server.port}` });
    const server = { ...test.server, host: '127.0.0.1', port: proxy.port };
    const metrics = createMetrics('notes');
    database = openDatabase({ server, schema: 'notes', role: 'app', password: '', metrics, log });
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  it('while committing leaves the outcome open, and says so', async () => {
    const committing = database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      await proxy.set('drop replies');
      setTimeout(() => void proxy.set('reset'), 200);
    });
    await expect(committing).rejects.toThrow(DatabaseUnavailable);
    await expect(committing).rejects.toMatchObject({ facts: { outcome: 'unknown' } });
    expect(await test.rows('note')).toHaveLength(1);
  });

  it('before the commit leaves nothing behind', async () => {
    const lost = database.inTenant(tenant, async (tx) => {
      await addNote(tx, 2);
      await proxy.set('reset');
      await addNote(tx, 3);
    });
    await expect(lost).rejects.toMatchObject({ facts: { outcome: 'nothing-written' } });
  });

  it('without a sign is noticed by the deadline, and the connection is given up', async () => {
    await database.ping();
    await proxy.set('blackhole');
    const silent = database.inTenant(tenant, (tx) => addNote(tx, 4), { deadlineAt: Date.now() + 200 });
    await expect(silent).rejects.toThrow(StatementCancelled);
    await proxy.set('none');
    await database.ping();
  });
});

describe('connections', () => {
  const test = useDatabase({ schema: 'notes', folders: [notes] });

  it('that are all in use make the next transaction wait, and then be refused', async () => {
    const { server } = test;
    const metrics = createMetrics('notes');
    const limits = { maxConnections: 1, acquireTimeoutMs: 100 };
    const database = openDatabase({
      server,
      schema: 'notes',
      role: 'app',
      password: '',
      metrics,
      log,
      ...limits,
    });
    const release = Promise.withResolvers<void>();
    const holding = database.inTenant(tenant, () => release.promise);
    await expect(database.ping()).rejects.toThrow(DatabaseUnavailable);
    release.resolve();
    await holding;
    await database.ping();
    await database.close();
  });

  it('and statements are counted', async () => {
    const { server } = test;
    const metrics = createMetrics('notes');
    const database = openDatabase({ server, schema: 'notes', role: 'app', password: '', metrics, log });
    await database.inTenant(tenant, (tx) => tx.rows('select 1'));
    await database.inTenant(tenant, (tx) => tx.rows('select 1 / 0')).catch(() => undefined);
    await database.close();
    const text = await metrics.render();
    expect(text).toMatch(/db_queries_total\{operation="select",outcome="done",service="notes"\} 1/);
    expect(text).toMatch(/db_queries_total\{operation="select",outcome="failed",service="notes"\} 1/);
    expect(text).toMatch(
      /db_query_duration_seconds_count\{service="notes",operation="commit",outcome="done"\} 1/,
    );
    expect(text).toMatch(/db_pool_connections\{pool="app",state="idle",service="notes"\} 1/);
  });
});

describe('a replica', () => {
  const test = useDatabase({ schema: 'notes', folders: [notes] });
  // Names of the same machine: what matters here is which pool is asked, not what lies behind it.
  const withReplica = (replicaHost: string) => {
    const server = { ...test.server, replicaHost };
    const metrics = createMetrics('notes');
    const database = openDatabase({ server, schema: 'notes', role: 'app', password: '', metrics, log });
    return { database, metrics };
  };

  it('serves reads that may be stale, and nothing else', async () => {
    const { database, metrics } = withReplica('localhost');
    await database.inTenant(tenant, (tx) => addNote(tx, 1));
    expect(await metrics.render()).not.toContain('app-replica');
    await database.inTenant(tenant, (tx) => tx.rows('select 1'), { mayBeStale: true });
    expect(await metrics.render()).toContain('app-replica');
    const writing = database.inTenant(tenant, (tx) => addNote(tx, 2), { mayBeStale: true });
    await expect(writing).rejects.toThrow('read-only transaction');
    await database.close();
  });

  it('that is away is replaced by the primary', async () => {
    const { database } = withReplica('replica.invalid');
    const read = () => database.inTenant(tenant, (tx) => tx.rows('select 1 as one'), { mayBeStale: true });
    expect(await read()).toEqual([{ one: 1 }]);
    expect(await read()).toEqual([{ one: 1 }]);
    await database.close();
  });
});

describe('the administrator', () => {
  const test = useDatabase({ schema: 'notes', folders: [notes] });

  it('is not who a service logs in as', async () => {
    const who = await test.database.withoutTenant((tx) =>
      tx.first('select current_user::text, session_user::text'),
    );
    expect(who).toEqual({ current_user: 'notes_app', session_user: 'notes_app' });
    const admin = await asAdministrator(test.server, (client) => client.query('select current_user::text'));
    expect(admin.rows).toEqual([{ current_user: 'postgres' }]);
  });
});
