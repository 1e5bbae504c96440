import { failpoint } from '@marimo/messaging';
import { runPeriodically } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { claimJob, extendLeases, getOldestDueSeconds, requeueSilent } from './claim-store.ts';
import { fireSchedules } from './fire-schedules.ts';
import { forgetJobs } from './forget-jobs.ts';
import { JobCancelled, JobInterrupted, JobLost, runJob } from './run-job.ts';
import type { JobInHand, JobRunnerOptions } from './runner-options.ts';
import { updateProgress } from './store.ts';

const keptDays = 30;
const forgetEveryMs = 3_600_000;
const measureEveryMs = 15_000;
const withinMs = 20_000;

/**
 * Runs the jobs of one service. Several processes share them: a job is leased to one at a time and its attempt number
 * proves it, so that a process which was paused and comes back finds that it holds nothing any more.
 */
export function startJobRunner<Deps>(options: JobRunnerOptions<Deps>): { close(): Promise<void> } {
  const { relayDatabase, wake, log, atOnce = 4, beatMs = 1_000, leaseMs = 15_000 } = options;
  const inHand = new Map<string, JobInHand>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();
  const asRelay = relayOf(relayDatabase);

  /** Takes as many as there is room for; false when nothing waits that it may take. */
  async function take(): Promise<boolean> {
    const held = await asRelay((tx) => claimJob(tx, leaseMs, tenantsAtTheirLimit(inHand, atOnce)));
    if (held === undefined) return false;
    failpoint('job.afterClaim');
    const job: JobInHand = {
      ...held,
      controller: new AbortController(),
      progress: undefined,
      told: undefined,
    };
    inHand.set(held.jobId, job);
    const run = runJob(options, job).finally(() => {
      inHand.delete(held.jobId);
      running.delete(run);
      wake.ring();
    });
    running.add(run);
    return true;
  }

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const tookOne =
        inHand.size < atOnce &&
        (await take().catch((error: unknown) => {
          log.warn('no job can be taken', { error });
          return false;
        }));
      if (!tookOne) await wake.wait(beatMs);
    }
  }

  const looping = loop();
  const stopBeating = runPeriodically({ name: 'holding jobs', pauseMs: beatMs, log }, () =>
    beat(options, inHand, leaseMs),
  );
  const stopFiring = runPeriodically({ name: 'firing schedules', pauseMs: beatMs, log }, async () => {
    const fired = await fireSchedules(options.database, relayDatabase, options.clock());
    if ((await asRelay(requeueSilent)) + fired > 0) wake.ring();
  });
  const stopForgetting = runPeriodically({ name: 'deleting old jobs', pauseMs: forgetEveryMs, log }, () =>
    forgetJobs(options, keptDays),
  );

  const oldest = options.metrics.gauge(
    'jobs_oldest_due_seconds',
    'How long the longest due job has waited',
    [],
  );
  const stopMeasuring = runPeriodically(
    { name: 'measuring jobs', pauseMs: measureEveryMs, log },
    async () => {
      oldest.set(await asRelay(getOldestDueSeconds));
    },
  );

  return {
    async close() {
      closing.abort();
      wake.ring();
      await looping;
      for (const { controller } of inHand.values()) controller.abort(new JobInterrupted());
      await Promise.all(running);
      await Promise.all([stopBeating(), stopFiring(), stopForgetting(), stopMeasuring()]);
    },
  };
}

const relayOf =
  (database: Database) =>
  <T>(work: Parameters<typeof database.withoutTenant<T>>[0]) =>
    database.withoutTenant(work, { deadlineAt: Date.now() + withinMs });

/** One place is always left for the others, so that one organisation's thousands do not keep them waiting. */
function tenantsAtTheirLimit(inHand: ReadonlyMap<string, JobInHand>, atOnce: number): string[] {
  const mostOfOne = Math.max(1, atOnce - 1);
  const byTenant = Map.groupBy(inHand.values(), ({ tenantId }) => tenantId);
  return [...byTenant].flatMap(([tenantId, jobs]) => (jobs.length >= mostOfOne ? tenantId : []));
}

/** Holds what is in hand, tells how far it is, and learns what is to be cancelled or has been lost. */
async function beat<Deps>(
  { database, relayDatabase }: JobRunnerOptions<Deps>,
  inHand: ReadonlyMap<string, JobInHand>,
  leaseMs: number,
): Promise<void> {
  const jobs = [...inHand.values()];
  if (jobs.length === 0) return;
  const held = await relayOf(relayDatabase)((tx) => extendLeases(tx, jobs, leaseMs));
  const cancelAsked = new Map(held.map((job) => [job.jobId, job.cancelAsked]));
  for (const job of jobs) {
    const { jobId, tenantId, attempt, controller, progress, told } = job;
    const isCancelled = cancelAsked.get(jobId);
    if (isCancelled === undefined) controller.abort(new JobLost());
    if (isCancelled === true) controller.abort(new JobCancelled());
    if (progress === undefined || progress === told) continue;
    await database.inTenant(tenantId, (tx) => updateProgress(tx, jobId, attempt, progress), {
      deadlineAt: Date.now() + withinMs,
    });
    job.told = progress;
  }
}
