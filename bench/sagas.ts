import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpoint, forServices, Id, newId } from '@marimo/contracts';
import { createOutbox, createWake, outboxMigrations } from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import {
  asAdministrator,
  type Database,
  migrate,
  openDatabase,
  type ServerAddress,
  startEmbeddedServer,
} from '@marimo/postgres';
import { createSagas, defineSaga, type SagaDefinition, sagaMigrations, startSagaRunner } from '@marimo/sagas';
import { z } from 'zod';
import { secondsOf } from './ledger/entries.ts';
import type { Result } from './result.ts';

const sagasStarted = 1_500;
const stepsOfEach = 4;
const atOnce = 8;
const service = 'shop';
const passwords = { app: 'bench', relay: 'bench' };
const log = createLog({ service, level: 'warn' });
const tenantId = newId();

const Ordered = z.strictObject({ saleId: Id });
const command = endpoint({
  method: 'POST',
  path: '/internal/main/commands',
  summary: 'Does nothing.',
  access: forServices('shop'),
  body: Ordered,
  replies: { 201: Ordered },
});
const definitions = {
  local: defineSaga({
    kind: 'shop.locally',
    input: Ordered,
    steps: ({ local }) => names().map((name) => local({ name, run: async () => {}, undo: 'nothing' })),
  }),
  command: defineSaga({
    kind: 'shop.by-command',
    input: Ordered,
    steps: (step) =>
      names().map((name) =>
        step.command({ name, command, request: ({ input }) => ({ body: input }), undo: 'nothing' }),
      ),
  }),
};

/** How many saga steps a second are done, beside the same rows written by plain SQL. */
export async function run(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'marimo-bench-sagas-'));
  const { server, stop } = await startEmbeddedServer({ directory, log });
  try {
    await migrate(server, { schema: service, folders: [outboxMigrations, sagaMigrations], passwords, log });
    const steps = sagasStarted * stepsOfEach;
    const rows = [];
    for (const [what, definition] of Object.entries(definitions)) {
      const ours = await throughSagas(server, definition);
      const plain = await byPlainSql(server);
      rows.push({
        what: what === 'local' ? 'local steps' : 'commands that cost nothing',
        'steps/s': Math.round(steps / ours),
        'plain SQL/s': Math.round(steps / plain),
        'of plain SQL': (plain / ours).toFixed(2),
      });
    }
    return {
      title: `${sagasStarted} sagas of ${stepsOfEach} steps, ${atOnce} at once, each commit on disk`,
      rows,
      notes: [
        'Plain SQL: a row for each saga, then an insert for each of its steps and an update at the end, a commit each.',
        'Commands are answered by the process itself, so that only the saga is measured; starting them is not.',
      ],
    };
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function throughSagas(
  server: ServerAddress,
  definition: (typeof definitions)['local'],
): Promise<number> {
  const [database, relayDatabase] = [open(server, 'app'), open(server, 'relay')];
  const outbox = createOutbox({ service, clock: () => new Date(), onAdded: () => {} });
  const wake = createWake();
  const declared = [definition as unknown as SagaDefinition];
  const sagas = createSagas({ service, definitions: declared, outbox, onDue: wake.ring });
  await inParallel(async () => {
    const sagaId = newId();
    await database.inTenant(tenantId, (tx) =>
      sagas.start(tx, definition, { sagaId, input: { saleId: sagaId } }),
    );
  });
  const metrics = createMetrics(service);
  const client = {
    call: async (_: unknown, { body }: { body?: unknown }) => ({ status: 201, body }) as never,
  };
  const seconds = await secondsOf(async () => {
    const runner = startSagaRunner({
      service,
      definitions: declared,
      deps: undefined,
      database,
      relayDatabase,
      outbox,
      client,
      log,
      metrics,
      wake,
      concurrency: atOnce,
    });
    await untilNone(server, `select count(*)::int as left from shop.saga where state <> 'done'`);
    await runner.close();
  });
  await Promise.all([database.close(), relayDatabase.close()]);
  return seconds;
}

async function byPlainSql(server: ServerAddress): Promise<number> {
  await asAdministrator(server, (client) =>
    client.query(`
      drop table if exists plain_step, plain_saga;
      create table plain_saga (id uuid primary key, input json, state text default 'running');
      create table plain_step (saga_id uuid, name text, result json, primary key (saga_id, name))`),
  );
  const ids = Array.from({ length: sagasStarted }, newId);
  await asAdministrator(server, (client) =>
    client.query(`insert into plain_saga (id, input) select id, '{}' from unnest($1::uuid[]) as id`, [ids]),
  );
  const worker = () =>
    asAdministrator(server, async (client) => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        for (const name of names())
          await client.query(`insert into plain_step values ($1, $2, '{}')`, [id, name]);
        await client.query(`update plain_saga set state = 'done' where id = $1`, [id]);
      }
    });
  return secondsOf(() => Promise.all(Array.from({ length: atOnce }, worker)));
}

function names(): string[] {
  return Array.from({ length: stepsOfEach }, (_, place) => `step-${place}`);
}

function open(server: ServerAddress, role: 'app' | 'relay'): Database {
  const metrics = createMetrics(service);
  return openDatabase({ server, schema: service, role, password: passwords[role], metrics, log });
}

async function inParallel(work: () => Promise<unknown>): Promise<void> {
  let left = sagasStarted;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function untilNone(server: ServerAddress, sql: string): Promise<void> {
  return asAdministrator(server, async (client) => {
    for (;;) {
      const { rows } = await client.query(sql);
      if (rows[0]?.left === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}
