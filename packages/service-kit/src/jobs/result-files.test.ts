import { Readable } from 'node:stream';
import { Absent, jobsOf, newId } from '@marimo/contracts';
import { forgetJobs, type JobKind, jobKind } from '@marimo/jobs';
import { testTenantId, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { type Deps, defineService } from '../index.ts';

const contract = jobsOf('config');
const asker = { userId: newId(), roles: ['user'], grants: [] };

/** Makes a list of books as a file; `isLost`: and returns another file, which is not there. */
const listBooks: JobKind<Deps> = jobKind({
  kind: 'config.list-books',
  input: z.strictObject({ isLost: z.boolean() }),
  async run({ tenantId, signal, input }, { files }: Deps) {
    const rows = Readable.from([Buffer.from('title\nWar and Peace\n')]);
    const { fileId } = await files.receive({ tenantId, signal }, rows, {
      name: 'books.csv',
      limitBytes: 1_000,
    });
    return { fileId: input.isLost ? newId() : fileId };
  },
});

let deps: Deps;
const service = useService(
  defineService({
    name: 'config',
    migrations: new URL('../../test/migrations/', import.meta.url),
    jobs: { contract, kinds: [listBooks] },
    routes: [
      (given) => {
        deps = given;
        return [];
      },
    ],
  }),
);
afterEach(() => service.database.sql('truncate job, file_reference, file'));

const get = async (jobId: string) => (await service.call(contract.get, { params: { jobId } })).body;
async function listed(isLost = false) {
  const { database } = service.database;
  const jobId = await database.inTenant(testTenantId, (tx) =>
    deps.jobs.enqueue(tx, listBooks, { input: { isLost } }, asker),
  );
  await until(async () => ['done', 'failed'].includes((await get(jobId)).state));
  return get(jobId);
}
const kept = async () =>
  (await service.rows<{ unreferenced_since: Date | null }>('file')).map(
    ({ unreferenced_since }) => unreferenced_since === null,
  );
const forgetAfterDays = async (days: number) => {
  const age = `update job set ended_at = ended_at - $1 * interval '1 day'`;
  await service.database.sql(age, [days]);
  const { database, relay: relayDatabase } = service.database;
  await forgetJobs({ database, relayDatabase, files: deps.files }, 30);
};

describe('the file that a job returns', () => {
  it('is kept as long as the job, and left to the sweep when the job is deleted', async () => {
    const { jobId, fileId } = await listed();
    expect(await kept()).toEqual([true]);
    expect(await service.rows('file_reference')).toMatchObject([
      { owner_kind: 'job', owner_id: jobId, file_id: fileId },
    ]);
    await forgetAfterDays(29);
    expect(await kept()).toEqual([true]);
    await forgetAfterDays(2);
    expect(await service.rows('job')).toEqual([]);
    expect(await service.rows('file_reference')).toEqual([]);
    expect(await kept()).toEqual([false]);
  });

  it('stays where something else needs it too', async () => {
    const { fileId = '' } = await listed();
    await service.database.database.inTenant(testTenantId, (tx) =>
      deps.files.attach(tx, fileId, { kind: 'invoice', id: newId() }),
    );
    await forgetAfterDays(31);
    expect(await service.rows('job')).toEqual([]);
    expect(await kept()).toEqual([true]);
  });

  it('fails the job where it is not there', async () => {
    const job = await listed(true);
    expect(job).toMatchObject({ state: 'failed', problem: { code: Absent.definition.code } });
    expect(job.fileId).toBeUndefined();
    expect(await kept()).toEqual([false]);
    const ended = (await service.events()).filter(({ subject }) => subject === job.jobId);
    expect(ended).toMatchObject([{ data: { state: 'failed', fileId: null } }]);
  });
});
