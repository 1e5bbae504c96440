import { newId } from '@marimo/contracts';
import type { Failpoint } from '@marimo/messaging';
import { useDatabase } from '@marimo/testing/database';
import { runUntilKilled, until } from '@marimo/testing/outside';
import type { CrashOrder } from '../test/crash-process.ts';
import { makeParts, workshop, workshopFolders } from '../test/workshop.ts';
import type { JobKind } from './index.ts';

const test = useDatabase({ schema: 'factory', folders: workshopFolders });
const program = new URL('../test/crash-process.ts', import.meta.url);
const places: readonly Failpoint[] = [
  'job.afterClaim',
  'job.afterEffect',
  'job.afterWork',
  'job.beforeEndCommits',
];

describe('a process that is killed', () => {
  it.each(places)('at %s loses no job, and each of its steps is done once', async (place) => {
    const tenantId = newId();
    const order: CrashOrder = { server: test.server, tenantId };
    const acknowledged = await runUntilKilled({ program, order, failpoint: `${place}:5` });
    await test.untilIdle();
    await test.sql('update job set lease_until = now() where lease_until is not null'); // as time would

    const runner = workshop(test, [makeParts] as unknown as readonly JobKind<undefined>[]).run();
    const jobs = async () =>
      (await test.rows<{ tenant_id: string; job_id: string; state: string }>('job')).filter(
        ({ tenant_id }) => tenant_id === tenantId,
      );
    await until(async () => (await jobs()).every(({ state }) => state === 'done'));
    await runner.close();

    const asked = (await jobs()).map(({ job_id }) => job_id);
    expect(asked).toEqual(expect.arrayContaining(acknowledged));
    const effects = (await test.rows<{ tenant_id: string; job_id: string; step: number }>('effect')).filter(
      ({ tenant_id }) => tenant_id === tenantId,
    );
    const done = effects.map(({ job_id, step }) => `${job_id} ${step}`).sort();
    expect(done).toEqual(asked.flatMap((jobId) => [1, 2, 3].map((step) => `${jobId} ${step}`)).sort());
    const ended = (await test.rows<{ tenant_id: string; envelope: { subject: string } }>('outbox'))
      .filter(({ tenant_id }) => tenant_id === tenantId)
      .map(({ envelope }) => envelope.subject);
    expect(ended.sort()).toEqual(asked.sort());
  });
});
