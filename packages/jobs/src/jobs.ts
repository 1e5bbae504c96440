import { isDeepStrictEqual } from 'node:util';
import { type Job, type JobsContract, newId } from '@marimo/contracts';
import { currentCause, type Outbox, type Wake } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { z } from 'zod';
import type { Asker, JobKind } from './job-kind.ts';
import { deleteSchedule, lockLastTime, upsertSchedule } from './schedule-store.ts';
import { nextTime } from './schedules.ts';
import { cancelJob, getClaimed, getJob, insertJob, lockOpenJob } from './store.ts';

export interface JobRequest<Kind extends JobKind<never>> {
  /** Chosen by the caller where a repetition must be the same job. */
  readonly jobId?: string;
  readonly input: z.input<Kind['input']>;
  /** True: as long as the organisation's same work waits or runs, that job is meant. */
  readonly joinsOpen?: boolean;
}

export interface ScheduleRequest<Kind extends JobKind<never>> {
  readonly scheduleId: string;
  readonly input: z.input<Kind['input']>;
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** IANA; that of the organisation, whose clock the fields are read by. */
  readonly timeZone: string;
}

/** How a service asks for its long work. Every command takes the transaction that makes it true. */
export interface Jobs {
  /**
   * Asks for work; it begins after the commit. The same id with the same input is the same job.
   * Errors: TypeError, where the id is that of other work.
   */
  enqueue<Kind extends JobKind<never>>(
    tx: TenantTransaction,
    kind: Kind,
    request: JobRequest<Kind>,
    asker: Asker,
  ): Promise<string>;
  /** Ends a job that waits, and asks one that runs to end. The job as it is now; undefined where there is none. */
  cancel(tx: TenantTransaction, jobId: string, askedBy: string | null): Promise<Job | undefined>;
  /**
   * Asks for the same work again and again, from the next time on; the same id changes its schedule.
   * Errors: InvalidCron.
   */
  schedule<Kind extends JobKind<never>>(
    tx: TenantTransaction,
    kind: Kind,
    request: ScheduleRequest<Kind>,
    asker: Asker,
  ): Promise<Date>;
  unschedule(tx: TenantTransaction, scheduleId: string): Promise<boolean>;
}

export interface JobsOptions {
  readonly outbox: Outbox;
  /** Rung after a commit that asked for work. */
  readonly wake: Wake;
  readonly clock: () => Date;
  /** Its `ended` is told of what is cancelled before it began. */
  readonly contract: JobsContract;
}

export function createJobs({ outbox, wake, clock, contract }: JobsOptions): Jobs {
  return {
    async enqueue(tx, { kind, input: schema }, { jobId = newId(), input, joinsOpen = false }, asker) {
      const checked = schema.encode(schema.parse(input));
      const open = joinsOpen ? await lockOpenJob(tx, kind, checked) : undefined;
      if (open !== undefined) return open;
      const isNew = await insertJob(tx, { jobId, kind, input: checked, asker, cause: currentCause() });
      if (!isNew) await requireSame(tx, jobId, kind, checked);
      tx.afterCommit(wake.ring);
      return jobId;
    },

    async cancel(tx, jobId, askedBy) {
      if ((await getJob(tx, jobId, askedBy)) === undefined) return undefined;
      const asked = await cancelJob(tx, jobId);
      if (asked?.state === 'cancelled') {
        await outbox.add(tx, contract.ended, jobId, { jobId, ...asked, fileId: null });
      }
      return getJob(tx, jobId, askedBy);
    },

    async schedule(tx, { kind, input: schema }, { scheduleId, input, cron, timeZone }, asker) {
      const checked = schema.encode(schema.parse(input));
      // A clock that was set back must not bring a time again that has been.
      const [now, lastAt] = [clock(), await lockLastTime(tx, scheduleId)];
      const nextAt = nextTime(cron, timeZone, lastAt !== null && lastAt > now ? lastAt : now);
      await upsertSchedule(tx, { scheduleId, kind, input: checked, cron, timeZone, asker, nextAt });
      return nextAt;
    },

    unschedule: (tx, scheduleId) => deleteSchedule(tx, scheduleId),
  };
}

async function requireSame(
  tx: TenantTransaction,
  jobId: string,
  kind: string,
  input: unknown,
): Promise<void> {
  const known = await getClaimed(tx, jobId);
  const isSame = known?.kind === kind && isDeepStrictEqual(known.input, JSON.parse(JSON.stringify(input)));
  if (!isSame) throw new TypeError(`The job ${jobId} is other work`);
}
