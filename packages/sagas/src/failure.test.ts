import {
  BadUpstream,
  DatabaseUnavailable,
  IdempotencyKeyReused,
  RequestStillRunning,
  Stale,
} from '@marimo/contracts';
import { failureOf, pauseMs } from './failure.ts';

const concerned = { service: 'accounting', owner: 'shop' };

describe('what a failed attempt means', () => {
  it.each([
    ['a rule said no', new Stale({ etag: '"1"' }), 'refused', 'person', 'shop.saga.manage'],
    ['no answer came', new BadUpstream({ service: 'accounting' }), 'away', 'service', 'accounting'],
    [
      'its database was away',
      new DatabaseUnavailable({ outcome: 'unknown' }),
      'away',
      'service',
      'accounting',
    ],
    ['the first attempt still runs', new RequestStillRunning({}), 'away', 'service', 'accounting'],
    ['the key was used for something else', new IdempotencyKeyReused({}), 'broken', 'operator', 'shop'],
    ['our own code is wrong', new TypeError('x of undefined'), 'away', 'operator', 'shop'],
  ])('when %s', (_, thrown, kind, who, name) => {
    expect(failureOf(thrown, concerned)).toMatchObject({ kind, needs: { who, name } });
  });

  it('tells nothing of a text that is our own', () => {
    expect(JSON.stringify(failureOf(new Error('password=hunter2'), concerned))).not.toContain('hunter2');
  });
});

describe('the pause before the next attempt', () => {
  it.each([
    [1, 0, 500],
    [2, 0, 1_000],
    [6, 0, 16_000],
    [7, 0, 30_000],
    [5_000, 0, 30_000],
    [1, 5_000, 5_000],
    [1, 3_600_000, 30_000],
  ])('after %i failures and a wish of %i ms is at most %i ms', (failures, wish, most) => {
    expect(pauseMs(failures, wish, () => 1)).toBe(most);
    expect(pauseMs(failures, wish, () => 0)).toBe(Math.max(most / 2, Math.min(wish, 30_000)));
  });
});
