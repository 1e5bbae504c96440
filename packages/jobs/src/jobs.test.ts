import { Absent, Job, newId } from '@marimo/contracts';
import { useDatabase } from '@marimo/testing/database';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { anna, makeParts, type Workshop, workshop, workshopFolders } from '../test/workshop.ts';
import { type JobKind, type JobRun, jobKind } from './index.ts';
import { getJob } from './store.ts';

const test = useDatabase({ schema: 'factory', folders: workshopFolders });
const [pine, oak] = [newId(), newId()];

/** What it does is set by each test. */
let behave: (run: JobRun<{ name: string }>) => Promise<unknown>;
const anything = jobKind({
  kind: 'factory.anything',
  input: z.strictObject({ name: z.string() }),
  attempts: 3,
  async run(run) {
    const result = await behave(run as JobRun<{ name: string }>);
    return result === undefined ? {} : { result: result as z.core.util.JSONType };
  },
});

let shop: Workshop;
let runners: { close(): Promise<void> }[];
beforeEach(async () => {
  await test.sql('truncate job, job_schedule, effect, outbox');
  behave = async () => undefined;
  shop = workshop(test, [makeParts, anything] as readonly JobKind<undefined>[]);
  runners = [];
});
afterEach(() => Promise.all(runners.map((runner) => runner.close())));

const run = (options: Parameters<Workshop['run']>[0] = {}) => {
  const runner = shop.run(options);
  runners.push(runner);
  return runner;
};
const ask = (name = 'a', tenantId = pine, asker = anna) =>
  test.database.inTenant(tenantId, (tx) => shop.jobs.enqueue(tx, anything, { input: { name } }, asker));
const look = async (jobId: string, tenantId = pine) => {
  const job = await test.database.inTenant(tenantId, (tx) => getJob(tx, jobId, null));
  if (job === undefined) throw new Absent({ resource: 'job' });
  return job;
};
const becomes = async (jobId: string, state: Job['state'], tenantId = pine) => {
  await until(async () => (await look(jobId, tenantId)).state === state);
  return look(jobId, tenantId);
};
const cancel = (jobId: string) =>
  test.database.inTenant(pine, (tx) => shop.jobs.cancel(tx, jobId, anna.userId));
const endedEvents = async () =>
  (await test.rows<{ envelope: { data: { state: string } } }>('outbox')).map(({ envelope }) => envelope.data);

describe('a job', () => {
  it('is asked for in the transaction that needs it: rolled back, there is none', async () => {
    const failed = test.database.inTenant(pine, async (tx) => {
      await shop.jobs.enqueue(tx, anything, { input: { name: 'a' } }, anna);
      throw new Error('the order is not valid');
    });
    await expect(failed).rejects.toThrow('the order is not valid');
    expect(await test.rows('job')).toEqual([]);
  });

  it('waits, runs and is done, with its result, and says so in one event', async () => {
    behave = async ({ input }) => ({ hello: input.name });
    const jobId = await ask('Boris');
    expect(await look(jobId)).toMatchObject({ state: 'queued', done: 0, of: null, startedAt: null });
    run();
    const job = await becomes(jobId, 'done');
    expect(job).toMatchObject({ kind: 'factory.anything', askedBy: anna.userId, result: { hello: 'Boris' } });
    expect(Job.safeEncode(job).success).toBe(true);
    expect(job.endedAt).toBeInstanceOf(Date);
    expect(await endedEvents()).toEqual([
      { jobId, kind: 'factory.anything', state: 'done', askedBy: anna.userId, fileId: null },
    ]);
  });

  it('is the same job when it is asked for again with its id, and refused with other input', async () => {
    const jobId = newId();
    const again = (name: string) =>
      test.database.inTenant(pine, (tx) => shop.jobs.enqueue(tx, anything, { jobId, input: { name } }, anna));
    await again('a');
    await again('a');
    expect(await test.rows('job')).toHaveLength(1);
    await expect(again('b')).rejects.toThrow('is other work');
  });

  it('runs in its organisation, as the person who asked, with the rights of that moment', async () => {
    const seen: unknown[] = [];
    behave = async (job) => {
      seen.push(
        job.tenantId,
        job.asker.userId,
        job.may('factory.order.release'),
        job.may('shop.order.confirm'),
      );
    };
    const withToken = { ...anna, bearer: 'secret-token' };
    const jobId = await ask('a', oak, withToken);
    run();
    await becomes(jobId, 'done', oak);
    expect(seen).toEqual([oak, anna.userId, true, false]);
    const [row] = await test.sql<{ text: string }>('select job::text as text from job');
    expect(row?.text).not.toContain('secret-token');
  });

  it('shows how far it is while it runs', async () => {
    const finish = Promise.withResolvers<void>();
    behave = async (job) => {
      job.progress({ done: 3, of: 10, message: 'Reading rows' });
      await finish.promise;
    };
    const jobId = await ask();
    run();
    await until(async () => (await look(jobId)).done === 3);
    expect(await look(jobId)).toMatchObject({ state: 'running', of: 10, message: 'Reading rows' });
    finish.resolve();
    expect(await becomes(jobId, 'done')).toMatchObject({ done: 3, of: 10 });
  });

  it('that is refused fails at once and keeps the refusal', async () => {
    let tries = 0;
    behave = async () => {
      tries += 1;
      throw new Absent({ resource: 'item' });
    };
    const jobId = await ask();
    run();
    const job = await becomes(jobId, 'failed');
    expect(job.problem).toMatchObject({ status: 404, code: Absent.definition.code });
    expect(job.message).toBe(job.problem?.title);
    expect(tries).toBe(1);
  });

  it('that fails is tried again; after its last attempt it has failed, and nothing leaks of why', async () => {
    let tries = 0;
    behave = async () => {
      tries += 1;
      throw new Error('the password of the database is 1234');
    };
    const jobId = await ask();
    run();
    const job = await becomes(jobId, 'failed');
    expect(tries).toBe(3);
    expect(job.problem?.status).toBe(500);
    expect(JSON.stringify(job)).not.toContain('1234');
  });

  it('is counted by its kind and end, and the longest that is due is measured', async () => {
    behave = async () => undefined;
    const jobId = await ask();
    await test.sql(`update job set due_at = now() - interval '1 hour' where job_id = $1`, [jobId]);
    const idle = run({ atOnce: 0 });
    const metric = async (name: string) =>
      (await shop.metrics.renderOwn()).split('\n').find((line) => line.startsWith(name));
    await until(async () => Number((await metric('jobs_oldest_due_seconds'))?.split(' ').at(-1)) >= 3_600);
    await idle.close();
    run();
    await becomes(jobId, 'done');
    const ended = 'jobs_ended_total{kind="factory.anything",state="done"';
    await until(async () => (await metric(ended))?.endsWith(' 1') === true);
  });

  it('of a kind that this version does not know waits for one that does', async () => {
    shop = workshop(test, []);
    const jobId = await ask();
    const older = run({ retryDelayMs: () => 200 });
    await until(async () => (await test.rows<{ attempt: number }>('job'))[0]?.attempt === 1);
    await older.close();
    shop = workshop(test, [anything] as readonly JobKind<undefined>[]);
    run();
    await becomes(jobId, 'done');
  });
});

describe('cancelling a job', () => {
  it('that waits ends it, and it never runs', async () => {
    let ran = false;
    behave = async () => {
      ran = true;
    };
    const jobId = await ask();
    expect(await cancel(jobId)).toMatchObject({ state: 'cancelled' });
    const next = await ask();
    run();
    await becomes(next, 'done');
    expect([ran, (await look(jobId)).state]).toEqual([true, 'cancelled']);
    expect((await endedEvents()).map(({ state }) => state)).toEqual(['cancelled', 'done']);
  });

  it('that runs fires its signal and ends its statements', async () => {
    behave = (job) => job.inTenant((tx) => tx.rows('select pg_sleep(600)'));
    const jobId = await ask();
    run();
    await becomes(jobId, 'running');
    expect(await cancel(jobId)).toMatchObject({ state: 'running' });
    await becomes(jobId, 'cancelled');
  });

  it('that has ended changes nothing', async () => {
    const jobId = await ask();
    run();
    await becomes(jobId, 'done');
    expect(await cancel(jobId)).toMatchObject({ state: 'done' });
    expect(await endedEvents()).toHaveLength(1);
  });

  it('of another person or organisation finds none', async () => {
    const jobId = await ask();
    const byBoris = test.database.inTenant(pine, (tx) => shop.jobs.cancel(tx, jobId, newId()));
    const byOak = test.database.inTenant(oak, (tx) => shop.jobs.cancel(tx, jobId, null));
    expect([await byBoris, await byOak]).toEqual([undefined, undefined]);
    expect((await look(jobId)).state).toBe('queued');
  });
});

describe('ten thousand jobs of one organisation', () => {
  it('do not keep one of another waiting', async () => {
    await test.sql(
      `insert into job (tenant_id, job_id, kind, input, asked_by, asker, cause)
       select $1, gen_random_uuid(), 'factory.anything', '{"name":"pine"}', $2, $3, '{}'
       from generate_series(1, 10000)`,
      [pine, anna.userId, JSON.stringify(anna)],
    );
    const order: string[] = [];
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    behave = async ({ tenantId }) => {
      order.push(tenantId);
      if (tenantId === pine && order.length === 3) started.resolve();
      if (tenantId === pine) await release.promise;
    };
    run({ atOnce: 4 });
    await started.promise; // all that one organisation may have at once
    const jobId = await ask('oak', oak);
    await becomes(jobId, 'done', oak);
    expect(order.filter((tenantId) => tenantId === pine)).toHaveLength(3);
    release.resolve();
    await test.sql(`delete from job where state = 'queued'`);
  });
});
