import { newId } from '@marimo/contracts';
import type { Database } from '@marimo/postgres';
import { listDueSchedules } from './claim-store.ts';
import { lockDueSchedule, moveSchedule, type Schedule } from './schedule-store.ts';
import { nextTime } from './schedules.ts';
import { insertJob } from './store.ts';

/**
 * Asks for the work of all schedules that are due, each once however many processes look. After an absence the latest
 * time that was missed is made up for, and those before it are left out: ten reports of last week help nobody.
 */
export async function fireSchedules(database: Database, relayDatabase: Database, now: Date): Promise<number> {
  const due = await relayDatabase.withoutTenant((tx) => listDueSchedules(tx, now));
  let fired = 0;
  for (const { tenantId, scheduleId } of due) {
    await database.inTenant(tenantId, async (tx) => {
      const schedule = await lockDueSchedule(tx, scheduleId, now);
      if (schedule === undefined) return;
      const { latest, next } = timesOf(schedule, now);
      const { kind, input, asker } = schedule;
      await insertJob(tx, { jobId: newId(), kind, input, asker, cause: {}, scheduledFor: latest });
      await moveSchedule(tx, scheduleId, latest, next);
      fired += 1;
    });
  }
  return fired;
}

function timesOf({ cron, timeZone, nextAt }: Schedule, now: Date): { latest: Date; next: Date } {
  let latest = nextAt;
  for (let next = nextTime(cron, timeZone, latest); ; next = nextTime(cron, timeZone, next)) {
    if (next > now) return { latest, next };
    latest = next;
  }
}
