import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { testClock } from '@marimo/testing';
import { useDatabase } from '@marimo/testing/database';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { anna, makeParts, workshop, workshopFolders } from '../test/workshop.ts';
import { fireSchedules } from './fire-schedules.ts';
import { type JobKind, jobKind } from './index.ts';

const test = useDatabase({ schema: 'factory', folders: workshopFolders });
const pine = newId();
const hourMs = 3_600_000;

/** Fails the first time, so that each of them is tried twice. */
const makeSecondTry = jobKind({
  kind: 'factory.make-second-try',
  input: z.strictObject({ steps: z.int() }),
  attempts: 100,
  async run(run) {
    if (run.attempt === 1) throw new Error('the machine is cold');
    return makeParts.run(run, undefined);
  },
});
const kinds = [makeParts, makeSecondTry] as unknown as readonly JobKind<undefined>[];

let runners: { close(): Promise<void> }[];
beforeEach(async () => {
  await test.sql('truncate job, job_schedule, effect, outbox');
  runners = [];
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(runners.map((runner) => runner.close()));
});

const twoProcesses = (options: Parameters<ReturnType<typeof workshop>['run']>[0] = {}) => {
  for (let n = 0; n < 2; n += 1) runners.push(workshop(test, kinds).run(options));
};
const ask = (count: number) =>
  test.database.inTenant(pine, async (tx) => {
    const { jobs } = workshop(test, kinds);
    for (let n = 0; n < count; n += 1) {
      await jobs.enqueue(tx, n % 2 === 0 ? makeParts : makeSecondTry, { input: { steps: 3 } }, anna);
    }
  });
const allDone = async () =>
  (await test.rows<{ state: string }>('job')).every(({ state }) => state === 'done');
const effectsAndEnds = async () => {
  const made = await test.rows<{ job_id: string; step: number }>('effect');
  const ends = await test.rows<{ envelope: { subject: string } }>('outbox');
  return [made.length, new Set(ends.map(({ envelope }) => envelope.subject)).size, ends.length];
};
/** The clock of the database jumps: what it has written down is so much earlier, or later, than it was. */
const databaseClockJumps = (hours: number) =>
  test.sql(
    `update job set due_at = due_at - $1 * interval '1 hour', lease_until = lease_until - $1 * interval '1 hour'
     where state in ('queued', 'running')`,
    [hours],
  );

describe('jobs and their retries happen once each', () => {
  it('while the clocks of the processes jump by an hour, forwards and backwards', async () => {
    const real = Date.now;
    const jumps = [0, hourMs, 0, -hourMs];
    let asked = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => {
      asked += 1;
      return real() + (jumps[Math.floor(asked / 50) % jumps.length] ?? 0);
    });
    await ask(20);
    twoProcesses();
    while (!(await allDone().catch(() => false))) await pause(20); // "until" would believe the clock
    expect(await effectsAndEnds()).toEqual([60, 20, 20]);
  });

  it.each([
    ['forwards: what runs looks as if its process had gone silent, and is taken over', 1],
    ['backwards: what runs goes on', -1],
  ])('while the clock of the database jumps by an hour, %s', async (_, hours) => {
    await ask(20);
    twoProcesses({ retryDelayMs: () => 1 });
    for (let jumps = 0; jumps < 5; jumps += 1) {
      await databaseClockJumps(hours);
      await pause(30);
    }
    // What waits would be due in hours; it is not lost, so it comes when its time does.
    const comes = async () => {
      await test.sql(`update job set due_at = now() where state = 'queued'`);
      return allDone();
    };
    await until(comes);
    expect(await effectsAndEnds()).toEqual([60, 20, 20]);
  });
});

describe('a schedule asks once for each time', () => {
  const scheduleId = newId();
  const nineInMoscow = { scheduleId, input: { steps: 1 }, cron: '0 9 * * *', timeZone: 'Europe/Moscow' };
  const times = async () =>
    (await test.rows<{ scheduled_for: Date }>('job')).map((job) => job.scheduled_for.toISOString());
  const instanceAt = (startsAt: string) => {
    const clock = testClock(startsAt);
    const { jobs } = workshop(test, kinds, clock.now);
    return {
      clock,
      save: () => test.database.inTenant(pine, (tx) => jobs.schedule(tx, makeParts, nineInMoscow, anna)),
      fire: () => fireSchedules(test.database, test.relay, clock.now()),
    };
  };

  it('where the clock of one instance is an hour ahead of the other', async () => {
    const [ahead, behind] = [instanceAt('2026-04-01T05:30:00Z'), instanceAt('2026-04-01T04:30:00Z')];
    await behind.save();
    for (let hours = 0; hours < 48; hours += 1) {
      await Promise.all([ahead.fire(), behind.fire()]);
      ahead.clock.advance(hourMs);
      behind.clock.advance(hourMs);
    }
    expect(await times()).toEqual(['2026-04-01T06:00:00.000Z', '2026-04-02T06:00:00.000Z']);
  });

  it('where the clock goes back by an hour and the schedule is saved again', async () => {
    const { clock, save, fire } = instanceAt('2026-04-01T05:30:00Z');
    await save();
    clock.advance(hourMs);
    await fire();
    clock.advance(-hourMs);
    await save();
    clock.advance(hourMs);
    await fire();
    expect(await times()).toEqual(['2026-04-01T06:00:00.000Z']);
  });

  it('where the clock goes forwards by an hour, over a time, and back', async () => {
    const { clock, save, fire } = instanceAt('2026-04-01T05:30:00Z');
    await save();
    for (const hours of [1, -1, 1, 23, 1]) {
      clock.advance(hours * hourMs);
      await fire();
    }
    expect(await times()).toEqual(['2026-04-01T06:00:00.000Z', '2026-04-02T06:00:00.000Z']);
  });
});
