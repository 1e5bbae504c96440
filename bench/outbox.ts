import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { event, Id, newId } from '@marimo/contracts';
import {
  consumer,
  createOutbox,
  createWake,
  outboxMigrations,
  postgresTransport,
  queueMigrations,
  rabbitmqTransport,
  startConsumers,
  startRelay,
  type Transport,
} from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import {
  asAdministrator,
  type Database,
  migrate,
  openDatabase,
  type ServerAddress,
  startEmbeddedServer,
} from '@marimo/postgres';
import { findBinary, startRabbitmq } from '@marimo/testing/outside';
import type { Result } from './result.ts';

const tenantId = newId();
const subject = 'x'.repeat(400); // makes an event of some 750 bytes
const atOnce = 16;
const passwords = { app: 'bench', relay: 'bench' };
const log = createLog({ service: 'bench', level: 'warn' });

/** How many events a second reach a queue through the outbox and the relay, beside the same rows inserted plainly. */
export async function run(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'marimo-bench-outbox-'));
  const { server, stop } = await startEmbeddedServer({ directory, log });
  const broker = findBinary('rabbitmq-server') ? await startRabbitmq() : undefined;
  try {
    for (const [schema, folders] of [
      ['bench', [outboxMigrations]],
      ['messaging', [queueMigrations]],
    ] as const) {
      await migrate(server, { schema, folders, passwords, log });
    }
    await makePlainTable(server);
    const rows = await rowsFor('postgres', server, () =>
      postgresTransport({ database: open(server, 'messaging'), log }),
    );
    if (broker !== undefined) {
      rows.push(...(await rowsFor('rabbitmq', server, () => rabbitmqTransport({ url: broker.url, log }))));
    }
    return {
      title: 'Events through outbox and relay into one queue, each commit on disk',
      rows,
      notes: [
        'Plain inserts are the same rows into a table that nobody reads.',
        'The time ends when the outbox is empty: everything is stored in the queue by then.',
        'Handled: a consumer with its inbox row, five at a time, after everything was published.',
        ...(broker === undefined ? ['RabbitMQ is left out: it is not on this machine.'] : []),
      ],
    };
  } finally {
    await broker?.stop();
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function rowsFor(name: string, server: ServerAddress, openTransport: () => Transport) {
  const rows = [];
  for (const [total, size] of [
    [6_000, 1],
    [30_000, 100],
  ] as const) {
    const transport = openTransport();
    const plain = await plainly(server, total, size);
    const { published, handled } = await throughOutbox(server, transport, total, size);
    await transport.close();
    rows.push({
      what: `${name}, ${size} in a transaction`,
      published: `${Math.round(published)}/s`,
      'plain inserts': `${Math.round(plain)}/s`,
      'of plain inserts': (published / plain).toFixed(2),
      handled: `${Math.round(handled)}/s`,
    });
  }
  return rows;
}

async function throughOutbox(server: ServerAddress, transport: Transport, total: number, size: number) {
  const [database, relayDatabase] = [open(server, 'bench'), open(server, 'bench', 'relay')];
  const [wake, metrics] = [createWake(), createMetrics('bench')];
  const round = newId();
  const queue = `bench_${round}`;
  const noted = event(`bench.${round}.v1`, Id);
  while (!transport.connected) await new Promise((resolve) => setTimeout(resolve, 20));
  await transport.declare([{ name: queue, bindings: [noted.type] }]);
  const outbox = createOutbox({ service: 'bench', clock: () => new Date(), onAdded: wake.ring });
  const relay = startRelay({ database: relayDatabase, transport, log, metrics, wake });
  const events = Array.from({ length: size }, () => ({ subject, data: newId() }));

  const published = await rate(total, async () => {
    await inParallel(total / size, () =>
      database.inTenant(tenantId, (tx) => outbox.addAll(tx, noted, events)),
    );
    await relay.close(); // it leaves when nothing waits
  });

  let left = total;
  const done = Promise.withResolvers<void>();
  const counting = consumer<undefined, typeof noted>({
    name: queue,
    queue,
    events: [noted],
    async handle() {
      left -= 1;
      if (left === 0) done.resolve();
    },
  });
  const handled = await rate(total, async () => {
    const consumers = [counting];
    const consuming = await startConsumers({
      service: 'bench',
      database,
      transport,
      consumers,
      log,
      metrics,
      deps: undefined,
    });
    await done.promise;
    await consuming.close();
  });
  await Promise.all([database.close(), relayDatabase.close()]);
  return { published, handled };
}

async function plainly(server: ServerAddress, total: number, size: number): Promise<number> {
  const database = open(server, 'bench');
  const sql = `insert into plain (tenant_id, id, envelope) select $1, id, $3::json from unnest($2::uuid[]) as row (id)`;
  const envelope = JSON.stringify({
    type: 'bench.noted.v1',
    time: new Date(),
    tenantid: tenantId,
    pad: 'x'.repeat(180),
    subject,
  });
  const speed = await rate(total, () =>
    inParallel(total / size, () => {
      const ids = Array.from({ length: size }, newId);
      return database.inTenant(tenantId, (tx) => tx.run(sql, [tenantId, ids, envelope], 'plain'));
    }),
  );
  await database.close();
  return speed;
}

async function makePlainTable(server: ServerAddress): Promise<void> {
  await asAdministrator(server, (client) =>
    client.query(`
      set role bench_owner;
      create table bench.plain (
        tenant_id uuid not null, id uuid not null, position bigint generated always as identity,
        envelope json not null, added_at timestamptz not null default now(), primary key (tenant_id, id));
      set search_path = bench;
      select marimo.protect_tenant_table('plain')`),
  );
}

function open(server: ServerAddress, schema: string, role: 'app' | 'relay' = 'app'): Database {
  return openDatabase({
    server,
    schema,
    role,
    password: passwords[role],
    metrics: createMetrics(schema),
    log,
    maxConnections: atOnce,
  });
}

async function inParallel(times: number, work: () => Promise<unknown>): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A second. */
async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (count / (performance.now() - startedAt)) * 1_000;
}
