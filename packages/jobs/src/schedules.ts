import { Cron } from 'croner';

/** Not five fields of a cron expression, or one that never comes; or an unknown time zone. */
export class InvalidCron extends Error {
  override readonly name = 'InvalidCron';
}

/**
 * The next time after `after` at which clocks in the time zone show what the expression says. A time that a clock change
 * leaves out is left out; one that it brings twice counts once. Where both a day of the month and a day of the week are
 * given, either will do.
 *
 * Source: POSIX crontab, and the cases in `schedules.test.ts`.
 */
export function nextTime(cron: string, timeZone: string, after: Date): Date {
  if (cron.trim().split(/\s+/).length !== 5) throw new InvalidCron(`${cron} has not five fields`);
  try {
    const expression = new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' });
    // Croner moves a time that does not exist behind the gap, where it no longer fits the expression.
    for (let next = expression.nextRun(after); next !== null; next = expression.nextRun(next)) {
      if (expression.match(next)) return next;
    }
  } catch (error) {
    throw new InvalidCron(`${cron} in ${timeZone}: ${(error as Error).message}`, { cause: error });
  }
  throw new InvalidCron(`${cron} never comes`);
}
