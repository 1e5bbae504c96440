import { newId } from '@marimo/contracts';
import { testClock } from '@marimo/testing';
import { useDatabase } from '@marimo/testing/database';
import { until } from '@marimo/testing/outside';
import { anna, makeParts, workshop, workshopFolders } from '../test/workshop.ts';
import { fireSchedules } from './fire-schedules.ts';
import { InvalidCron, type JobKind, nextTime } from './index.ts';

describe('the next time of a schedule', () => {
  it.each([
    [
      'every quarter of an hour',
      '*/15 * * * *',
      'Europe/Moscow',
      '2026-03-10T07:07Z',
      ['2026-03-10T07:15', '2026-03-10T07:30', '2026-03-10T07:45', '2026-03-10T08:00'],
    ],
    [
      'on the 13th and on Fridays: either day will do (POSIX)',
      '0 12 13 * 5',
      'Europe/Moscow',
      '2026-02-28T21:00Z',
      ['2026-03-06T09:00', '2026-03-13T09:00', '2026-03-20T09:00', '2026-03-27T09:00', '2026-04-03T09:00'],
    ],
    [
      'with a step and a list',
      '5-20/5,50 6 * * *',
      'Europe/Moscow',
      '2026-03-10T03:04Z',
      ['2026-03-10T03:05', '2026-03-10T03:10', '2026-03-10T03:15', '2026-03-10T03:20', '2026-03-10T03:50'],
    ],
    [
      'at an hour that a clock change leaves out: not on that day',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T17:00Z',
      ['2026-03-09T06:30', '2026-03-10T06:30'],
    ],
    [
      'at an hour that a clock change brings twice: once',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'at midnight where the clock never changes',
      '0 0 * * *',
      'Europe/Moscow',
      '2026-03-28T09:00Z',
      ['2026-03-28T21:00', '2026-03-29T21:00'],
    ],
    ['on a leap day', '0 9 29 2 *', 'Europe/Moscow', '2026-03-01T00:00Z', ['2028-02-29T06:00']],
  ])('%s', (_, cron, timeZone, after, expected) => {
    let time = new Date(after);
    const times = expected.map(() => {
      time = nextTime(cron, timeZone, time);
      return time.toISOString().slice(0, 16);
    });
    expect(times).toEqual(expected);
  });

  it.each([
    ['* * * *', 'Europe/Moscow'],
    ['0 0 0 * * *', 'Europe/Moscow'],
    ['61 * * * *', 'Europe/Moscow'],
    ['0 9 31 2 *', 'Europe/Moscow'],
    ['0 9 * * *', 'Europe/Nowhere'],
    ['every day', 'Europe/Moscow'],
  ])('is refused for %j in %s', (cron, timeZone) => {
    expect(() => nextTime(cron, timeZone, new Date('2026-03-01T00:00Z'))).toThrow(InvalidCron);
  });
});

describe('a schedule of an organisation', () => {
  const test = useDatabase({ schema: 'factory', folders: workshopFolders });
  const pine = newId();
  const scheduleId = newId();
  beforeEach(() => test.sql('truncate job, job_schedule, effect'));

  const daily = { scheduleId, input: { steps: 1 }, cron: '0 9 * * *', timeZone: 'Asia/Tokyo' };
  const kinds = [makeParts] as unknown as readonly JobKind<undefined>[];
  /** An installation at that moment, with the schedule of every day at nine in Tokyo, which is midnight in UTC. */
  async function scheduledAt(startsAt: string) {
    const clock = testClock(startsAt);
    const shop = workshop(test, kinds, clock.now);
    await test.database.inTenant(pine, (tx) => shop.jobs.schedule(tx, makeParts, daily, anna));
    return { clock, shop, fire: () => fireSchedules(test.database, test.relay, clock.now()) };
  }
  const times = async () =>
    (await test.rows<{ scheduled_for: Date }>('job')).map((job) => job.scheduled_for.toISOString());
  const hours = (count: number) => count * 3_600_000;

  it('asks for its work at its time by the clock of the organisation, and not before', async () => {
    const { clock, fire } = await scheduledAt('2026-03-31T15:00:00.000Z');
    expect(await fire()).toBe(0);
    clock.advance(hours(9));
    expect(await fire()).toBe(1);
    expect(await fire()).toBe(0);
    expect(await times()).toEqual(['2026-04-01T00:00:00.000Z']);
  });

  it('asks once for a time, however many instances look at the same moment', async () => {
    const { clock, fire } = await scheduledAt('2026-03-31T15:00:00.000Z');
    clock.advance(hours(9));
    await Promise.all(Array.from({ length: 8 }, fire));
    expect(await times()).toHaveLength(1);
  });

  it('makes up for the latest of the times that were missed, and goes on from now', async () => {
    const { clock, fire } = await scheduledAt('2026-03-31T15:00:00.000Z');
    clock.advance(hours(24 * 5));
    expect(await fire()).toBe(1);
    expect(await times()).toEqual(['2026-04-05T00:00:00.000Z']);
    clock.advance(hours(24));
    await fire();
    expect(await times()).toEqual(['2026-04-05T00:00:00.000Z', '2026-04-06T00:00:00.000Z']);
  });

  it('asks for nothing twice when the clock is set back', async () => {
    const { clock, fire } = await scheduledAt('2026-03-31T15:00:00.000Z');
    clock.advance(hours(9));
    await fire();
    clock.advance(hours(-2));
    expect(await fire()).toBe(0);
    clock.advance(hours(2));
    expect(await fire()).toBe(0);
  });

  it('is changed by its id, and asks for nothing once it is taken away', async () => {
    const { clock, shop, fire } = await scheduledAt('2026-03-31T15:00:00.000Z');
    await test.database.inTenant(pine, (tx) =>
      shop.jobs.schedule(tx, makeParts, { ...daily, cron: '0 12 * * *' }, anna),
    );
    clock.advance(hours(9));
    expect(await fire()).toBe(0);
    const taken = await test.database.inTenant(pine, (tx) => shop.jobs.unschedule(tx, scheduleId));
    clock.advance(hours(24));
    expect([taken, await fire()]).toEqual([true, 0]);
  });

  it('is run by the runner, as the person who made it', async () => {
    const { clock, shop } = await scheduledAt('2026-03-31T15:00:00.000Z');
    clock.advance(hours(9));
    const runner = shop.run();
    await until(async () => (await test.rows('effect')).length === 1);
    await runner.close();
    expect(await test.rows('job')).toMatchObject([{ asked_by: anna.userId }]);
  });
});
