import { grantsCover, rolesGrant } from '@marimo/contracts';
import { failpoint } from '@marimo/messaging';
import { inSpan, runInContext } from '@marimo/observability';
import type { TenantTransaction } from '@marimo/postgres';
import { Refusal, statusOf, toProblem } from '@marimo/problems';
import type { Asker, JobRun } from './job-kind.ts';
import type { JobInHand, JobRunnerOptions } from './runner-options.ts';
import { type ClaimedJob, endJob, getClaimed, type JobEnd, lockHeld, requeueJob } from './store.ts';

/** Why a job's signal fires. */
export class JobCancelled extends Error {
  override readonly name = 'JobCancelled';
}
/** The service stops; the job goes back into the queue. */
export class JobInterrupted extends Error {
  override readonly name = 'JobInterrupted';
}
/** Another process holds the job by now. */
export class JobLost extends Error {
  override readonly name = 'JobLost';
}

const usualRetryDelayMs = (attempt: number) => Math.min(10 * 60_000, 10_000 * 2 ** (attempt - 1));

/** Runs one job to its end, and writes down what became of it. Never rejects: what cannot be written is left to the lease. */
export async function runJob<Deps>(options: JobRunnerOptions<Deps>, job: JobInHand): Promise<void> {
  const { database, service, log } = options;
  const { jobId, tenantId, attempt } = job;
  try {
    const claimed = await database.inTenant(tenantId, (tx) => getClaimed(tx, jobId));
    if (claimed === undefined) return;
    const { kind, asker, cause } = claimed;
    const context = { requestId: cause.requestid ?? jobId, tenantId, actorId: asker.userId };
    const span = { attributes: { 'job.kind': kind, 'job.attempt': attempt }, traceparent: cause.traceparent };
    await runInContext(context, () =>
      inSpan(service, `job ${kind}`, span, () => toItsEnd(options, job, claimed)),
    );
  } catch (error) {
    log.warn('a job is left to its lease', { job: jobId, error });
  }
}

async function toItsEnd<Deps>(
  options: JobRunnerOptions<Deps>,
  job: JobInHand,
  claimed: ClaimedJob,
): Promise<void> {
  const { controller } = job;
  if (claimed.cancelAsked) controller.abort(new JobCancelled());
  try {
    controller.signal.throwIfAborted();
    const outcome = await work(options, job, claimed);
    failpoint('job.afterWork');
    // An outcome that cannot be kept, such as a file that is not there, is a failure of the job.
    await end(options, job, claimed, { state: 'done', ...outcome });
  } catch (error) {
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : error;
    await afterFailure(options, job, claimed, reason);
  }
}

function work<Deps>(options: JobRunnerOptions<Deps>, job: JobInHand, claimed: ClaimedJob) {
  const { database, deps } = options;
  const { jobId, tenantId, attempt, controller } = job;
  const { signal } = controller;
  const known = options.kinds.find(({ kind }) => kind === claimed.kind);
  if (known === undefined) throw new Error(`This version knows no jobs of the kind ${claimed.kind}`);

  const run: JobRun = {
    jobId,
    tenantId,
    attempt,
    signal,
    input: known.input.parse(claimed.input),
    asker: claimed.asker,
    may: (permission) => mayDo(claimed.asker, permission),
    scheduledFor: claimed.scheduledFor,
    log: options.log,
    progress(progress) {
      job.progress = progress;
    },
    inTenant: (effect) =>
      database.inTenant(
        tenantId,
        async (tx) => {
          const result = await effect(tx);
          failpoint('job.afterEffect');
          if (!(await lockHeld(tx, jobId, attempt))) throw new JobLost();
          return result;
        },
        { signal },
      ),
  };
  return known.run(run, deps);
}

function mayDo({ roles, grants }: Asker, permission: string): boolean {
  return rolesGrant(roles, permission) || grantsCover(grants, permission);
}

async function afterFailure<Deps>(
  options: JobRunnerOptions<Deps>,
  job: JobInHand,
  claimed: ClaimedJob,
  reason: unknown,
): Promise<void> {
  const { kind } = claimed;
  const { jobId, attempt } = job;
  const { log, retryDelayMs = usualRetryDelayMs } = options;
  if (reason instanceof JobLost) return log.warn('a job is held by another process', { job: jobId, attempt });
  if (reason instanceof JobCancelled) return end(options, job, claimed, { state: 'cancelled' });
  if (reason instanceof JobInterrupted) return again(options, job, { delayMs: 0, counts: false });

  const isRefused = reason instanceof Refusal && statusOf(reason.definition.kind) < 500;
  const attempts = options.kinds.find((one) => one.kind === kind)?.attempts ?? 5;
  if (!isRefused) log.warn('a job failed', { job: jobId, kind, attempt, attempts, error: reason });
  if (!isRefused && attempt < attempts)
    return again(options, job, { delayMs: retryDelayMs(attempt), counts: true });
  await end(options, job, claimed, { state: 'failed', problem: toProblem(reason, claimed.cause.requestid) });
}

function again<Deps>(
  { database }: JobRunnerOptions<Deps>,
  { tenantId, jobId, attempt }: JobInHand,
  when: { readonly delayMs: number; readonly counts: boolean },
): Promise<void> {
  return database.inTenant(tenantId, (tx) => requeueJob(tx, jobId, attempt, when));
}

async function end<Deps>(
  { database, outbox, files, contract, metrics }: JobRunnerOptions<Deps>,
  { tenantId, jobId, attempt, progress }: JobInHand,
  { kind, asker }: ClaimedJob,
  given: JobEnd,
): Promise<void> {
  await database.inTenant(tenantId, async (tx: TenantTransaction) => {
    if (!(await endJob(tx, jobId, attempt, { progress, ...given }))) return;
    const { state, fileId = null } = given;
    if (fileId !== null) await files.attach(tx, fileId, { kind: 'job', id: jobId });
    await outbox.add(tx, contract.ended, jobId, { jobId, kind, state, askedBy: asker.userId, fileId });
    const ended = metrics.counter('jobs_ended_total', 'Jobs that were run to their end', ['kind', 'state']);
    tx.afterCommit(() => ended.inc({ kind, state }));
    failpoint('job.beforeEndCommits');
  });
}
