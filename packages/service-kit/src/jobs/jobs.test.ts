import { setTimeout as pause } from 'node:timers/promises';
import { Absent, endpoint, JobStarted, jobsOf, newId } from '@marimo/contracts';
import { type JobKind, jobKind } from '@marimo/jobs';
import { tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { type Deps, defineService, handle, reply } from '../index.ts';

const contract = jobsOf('config');
const copyBooks = endpoint({
  method: 'POST',
  path: '/api/v1/config/copies',
  summary: 'Copies books.',
  access: 'signed-in',
  body: z.strictObject({ books: z.int() }),
  replies: { 202: JobStarted },
});

let finish: PromiseWithResolvers<void>;
const copying: JobKind<Deps> = jobKind({
  kind: 'config.copy-books',
  input: z.strictObject({ books: z.int() }),
  async run(run) {
    run.progress({ done: 0, of: run.input.books, message: 'Copying' });
    await Promise.race([
      finish.promise,
      new Promise((_resolve, reject) => run.signal.addEventListener('abort', reject)),
    ]);
    return { result: { copied: run.input.books } };
  },
});

const definition = defineService({
  name: 'config',
  migrations: new URL('../../test/migrations/', import.meta.url),
  jobs: { contract, kinds: [copying] },
  routes: [
    ({ jobs }) => [
      handle(copyBooks, (call) =>
        call.inTenant(async (tx) => {
          const jobId = await jobs.enqueue(tx, copying, { input: call.body }, call.caller);
          return reply(202, { jobId });
        }),
      ),
    ],
  ],
});
const service = useService(definition);

const [annaId, borisId] = [newId(), newId()];
const anna = { as: tokenFor({ userId: annaId, roles: ['user'] }) };
const boris = { as: tokenFor({ userId: borisId, roles: ['user'] }) };
const administrator = { as: tokenFor() };
const stranger = { as: tokenFor({ tenantId: newId() }) };

beforeEach(async () => {
  await service.database.sql('truncate job');
  finish = Promise.withResolvers();
});

const ask = async (by = anna, idempotencyKey = newId()) =>
  (await service.call(copyBooks, { body: { books: 7 }, idempotencyKey }, by)).body.jobId;
const get = (jobId: string, by = anna) => service.call(contract.get, { params: { jobId } }, by);
const cancel = (jobId: string, by = anna) => service.call(contract.cancel, { params: { jobId } }, by);
const becomes = (jobId: string, state: string) =>
  until(async () => (await get(jobId, administrator)).body.state === state);

describe('the jobs of a service', () => {
  it('are asked for once for each Idempotency-Key, run in the background, and show their result', async () => {
    const key = newId();
    const jobId = await ask(anna, key);
    expect(await ask(anna, key)).toBe(jobId);
    await until(async () => (await get(jobId)).body.message === 'Copying');
    expect((await get(jobId)).json).toMatchObject({ state: 'running', done: 0, of: 7, askedBy: annaId });
    finish.resolve();
    await becomes(jobId, 'done');
    expect((await get(jobId)).json).toMatchObject({ result: { copied: 7 } });
  });

  it('are seen and cancelled by whoever asked and by those who manage jobs, and by nobody else', async () => {
    const jobId = await ask();
    for (const other of [boris, stranger]) {
      expect(await get(jobId, other)).toBeRefused(Absent);
      expect(await cancel(jobId, other)).toBeRefused(Absent);
    }
    expect((await get(jobId, administrator)).status).toBe(200);
    expect((await cancel(jobId, administrator)).status).toBe(200);
    await becomes(jobId, 'cancelled');
    expect((await cancel(jobId)).json).toMatchObject({ state: 'cancelled' });
  });

  it('are listed newest first, page by page, by state, each person their own', async () => {
    finish.resolve();
    const ids = [];
    for (const by of [anna, anna, boris, anna]) ids.push(await ask(by));
    for (const jobId of ids) await becomes(jobId, 'done');
    const list = async (query: Record<string, string | number>, by = anna) =>
      (await service.call(contract.list, { query }, by)).body;
    const first = await list({ limit: 2 });
    const second = await list({ limit: 2, after: first.next ?? '' });
    expect([...first.items, ...second.items].map(({ jobId }) => jobId)).toEqual([ids[3], ids[1], ids[0]]);
    expect(second.next).toBeNull();
    expect((await list({ state: 'failed,queued' })).items).toEqual([]);
    expect((await list({ state: 'failed,done' })).items).toHaveLength(3);
    for (const state of ['', 'done,', 'done,lost', 'done;failed', 'DONE']) {
      const answer = await service.http
        .get(`/api/v1/config/jobs?state=${state}`)
        .set('authorization', `Bearer ${anna.as}`);
      expect([state, answer.status]).toEqual([state, 400]);
      const detail =
        'must be one or several of queued, running, done, failed, cancelled, separated by commas';
      expect(answer.body.errors).toEqual([{ pointer: '?state', detail }]);
    }
    expect((await list({}, administrator)).items).toHaveLength(4);
    expect((await list({}, stranger)).items).toEqual([]);
  });
});

describe('a service that is started without its background', () => {
  const quiet = useService(definition, { background: false });

  it('takes up no job', async () => {
    const { jobId } = (await quiet.call(copyBooks, { body: { books: 7 } }, anna)).body;
    await pause(300);
    expect((await quiet.call(contract.get, { params: { jobId } }, anna)).body.state).toBe('queued');
  });
});
