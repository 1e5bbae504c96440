import { newId } from '@marimo/contracts';
import { useDatabase } from '@marimo/testing/database';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { anna, makeParts, workshop, workshopFolders } from '../test/workshop.ts';
import { type JobKind, type JobRun, jobKind } from './index.ts';

const test = useDatabase({ schema: 'factory', folders: workshopFolders });
const pine = newId();
let runners: { close(): Promise<void> }[];
beforeEach(async () => {
  await test.sql('truncate job, effect, outbox');
  runners = [];
});
afterEach(() => Promise.all(runners.map((runner) => runner.close())));

const states = async () =>
  (await test.rows<{ state: string; attempt: number }>('job')).map(({ state, attempt }) => [state, attempt]);
const effects = async () =>
  (await test.rows<{ job_id: string; step: number }>('effect')).map(
    ({ job_id, step }) => `${job_id} ${step}`,
  );

const kindOf = (run: (job: JobRun) => Promise<void>) =>
  jobKind({
    kind: 'factory.odd',
    input: z.strictObject({}),
    async run(job) {
      await run(job);
      return {};
    },
  });
const asKinds = (...kinds: unknown[]) => kinds as readonly JobKind<undefined>[];

describe('two instances of a service', () => {
  it('share the jobs, each done once', async () => {
    const one = workshop(test, asKinds(makeParts));
    const two = workshop(test, asKinds(makeParts));
    await test.database.inTenant(pine, async (tx) => {
      for (let n = 0; n < 30; n += 1) await one.jobs.enqueue(tx, makeParts, { input: { steps: 3 } }, anna);
    });
    runners.push(one.run(), two.run());
    await until(async () => (await states()).every(([state]) => state === 'done'));
    expect((await states()).map(([, attempt]) => attempt)).toEqual(Array(30).fill(1));
    const made = await effects();
    expect([made.length, new Set(made).size]).toEqual([90, 90]);
  });

  it('of which one goes silent: the other takes its job over, and what the first does late has no effect', async () => {
    const late = Promise.withResolvers<void>();
    const outcomes: unknown[] = [];
    const write = (job: JobRun, step: number) =>
      job.inTenant((tx) =>
        tx.run('insert into effect (tenant_id, job_id, step) values ($1, $2, $3)', [
          tx.tenantId,
          job.jobId,
          step,
        ]),
      );
    const slow = kindOf(async (job) => {
      if (job.attempt > 1) return void (await write(job, 2));
      await late.promise;
      await write(job, 1).catch((error: unknown) => outcomes.push((error as Error).name));
    });
    const silent = workshop(test, asKinds(slow));
    await test.database.inTenant(pine, (tx) => silent.jobs.enqueue(tx, slow, { input: {} }, anna));
    // Its lease runs out while it neither beats nor knows: the clock of the database decides, not its own.
    runners.push(silent.run({ beatMs: 600_000, leaseMs: 100 }));
    await until(async () => (await states())[0]?.[0] === 'running');
    const other = workshop(test, asKinds(slow));
    runners.push(other.run());
    await until(async () => (await states())[0]?.[0] === 'done');
    late.resolve();
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual(['JobLost']);
    expect(await states()).toEqual([['done', 2]]);
    expect(await effects()).toEqual([expect.stringMatching(/ 2$/)]);
  });
});

describe('a service that stops', () => {
  it('gives its jobs back, which counts as no attempt, and the next one goes on', async () => {
    const begun = Promise.withResolvers<void>();
    const first = kindOf(async (job) => {
      begun.resolve();
      await new Promise((_, reject) => {
        job.signal.addEventListener('abort', () => reject(job.signal.reason), { once: true });
      });
    });
    const stopping = workshop(test, asKinds(first));
    await test.database.inTenant(pine, (tx) => stopping.jobs.enqueue(tx, first, { input: {} }, anna));
    const runner = stopping.run();
    await begun.promise;
    await runner.close();
    expect(await states()).toEqual([['queued', 0]]);
    runners.push(workshop(test, asKinds(kindOf(async () => {}))).run());
    await until(async () => (await states())[0]?.[0] === 'done');
  });
});
