import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobsOf, newId } from '@marimo/contracts';
import { createJobs, type JobKind, jobKind, jobMigrations, startJobRunner } from '@marimo/jobs';
import { createOutbox, createWake, outboxMigrations } from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import {
  asAdministrator,
  migrate,
  openDatabase,
  type ServerAddress,
  startEmbeddedServer,
} from '@marimo/postgres';
import { z } from 'zod';
import { secondsOf } from './ledger/entries.ts';
import type { Result } from './result.ts';

const jobsAsked = 3_000;
const organisations = 10;
const atOnce = 8;
const service = 'bench';
const passwords = { app: 'bench', relay: 'bench' };
const log = createLog({ service, level: 'warn' });

/** Does nothing, so that only the way there and back is measured. */
const nothing = jobKind({ kind: 'bench.nothing', input: z.strictObject({}), run: async () => ({}) });

/** How many jobs a second are asked for and done, beside the statements that plain SQL would need for a queue. */
export async function run(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'marimo-bench-jobs-'));
  const { server, stop } = await startEmbeddedServer({ directory, log });
  try {
    await migrate(server, { schema: service, folders: [outboxMigrations, jobMigrations], passwords, log });
    const { asked, done } = await throughJobs(server);
    const plain = await byPlainSql(server);
    const row = (what: string, ours: number, theirs: number) => ({
      what,
      'jobs/s': Math.round(jobsAsked / ours),
      'plain SQL/s': Math.round(jobsAsked / theirs),
      'of plain SQL': (theirs / ours).toFixed(2),
    });
    return {
      title: `${jobsAsked} jobs of ${organisations} organisations, ${atOnce} at once, each commit on disk`,
      rows: [row('asked for', asked, plain.asked), row('done', done, plain.done)],
      notes: [
        'Plain SQL is a table of jobs without organisations: an insert each, then a claim and an update each.',
      ],
    };
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function throughJobs(server: ServerAddress) {
  const metrics = createMetrics(service);
  const open = (role: 'app' | 'relay') =>
    openDatabase({ server, schema: service, role, password: passwords[role], metrics, log });
  const [database, relayDatabase] = [open('app'), open('relay')];
  const wake = createWake();
  const clock = () => new Date();
  const outbox = createOutbox({ service, clock, onAdded: () => {} });
  const contract = jobsOf('factory');
  const jobs = createJobs({ outbox, wake, clock, contract });
  const asker = { userId: newId(), roles: [], grants: [] };
  const tenants = Array.from({ length: organisations }, newId);

  const asked = await secondsOf(() =>
    inParallel(async (turn) => {
      const tenantId = tenants[turn % tenants.length] as string;
      await database.inTenant(tenantId, (tx) => jobs.enqueue(tx, nothing, { input: {} }, asker));
    }),
  );
  const kinds = [nothing] as readonly JobKind<undefined>[];
  const shared = { service, contract, kinds, deps: undefined, database, relayDatabase, outbox, wake };
  const files = { attach: async () => {}, detach: async () => {} };
  const done = await secondsOf(async () => {
    const runner = startJobRunner({ ...shared, files, log, metrics, clock, atOnce });
    await untilNone(server, `select count(*)::int as left from bench.job where state <> 'done'`);
    await runner.close();
  });
  await Promise.all([database.close(), relayDatabase.close()]);
  return { asked, done };
}

async function byPlainSql(server: ServerAddress) {
  const inEach = (work: (client: Parameters<Parameters<typeof asAdministrator>[1]>[0]) => Promise<unknown>) =>
    secondsOf(() =>
      Promise.all(
        Array.from({ length: atOnce }, () =>
          asAdministrator(server, async (client) => {
            for (let turn = 0; turn < jobsAsked / atOnce; turn += 1) await work(client);
          }),
        ),
      ),
    );
  await asAdministrator(server, (client) =>
    client.query(
      `create table plain_job (id bigserial primary key, input json, state text default 'queued')`,
    ),
  );
  const asked = await inEach((client) => client.query(`insert into plain_job (input) values ('{}')`));
  const done = await inEach(async (client) => {
    const { rows } = await client.query(`
      update plain_job set state = 'running' where id = (
        select id from plain_job where state = 'queued' order by id limit 1 for update skip locked)
      returning id`);
    await client.query(`update plain_job set state = 'done' where id = $1`, [rows[0]?.id]);
  });
  return { asked, done };
}

async function inParallel(work: (turn: number) => Promise<void>): Promise<void> {
  let turn = 0;
  const worker = async () => {
    while (turn < jobsAsked) await work(turn++);
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
