import type { Job, JobState } from '@marimo/contracts';
import type { Cause } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Problem } from '@marimo/problems';
import type { Asker, JobOutcome, Progress } from './job-kind.ts';

export interface NewJob {
  readonly jobId: string;
  readonly kind: string;
  readonly input: unknown;
  readonly asker: Asker;
  readonly cause: Cause;
  readonly scheduledFor?: Date;
}

/** False when there is a job with this id. */
export async function insertJob(tx: TenantTransaction, job: NewJob): Promise<boolean> {
  const { jobId, kind, input, asker, cause, scheduledFor = null } = job;
  const inserted = await tx.run(
    `insert into job (tenant_id, job_id, kind, input, asked_by, asker, cause, scheduled_for)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict do nothing`,
    [
      tx.tenantId,
      jobId,
      kind,
      JSON.stringify(input),
      asker.userId,
      askerText(asker),
      JSON.stringify(cause),
      scheduledFor,
    ],
    'job_insert',
  );
  return inserted === 1;
}

/**
 * The job of the same work that waits or runs, unless it is being cancelled. Until the transaction ends, no other one that
 * asks like this adds one: what is not there yet cannot be locked as a row.
 */
export async function lockOpenJob(
  tx: TenantTransaction,
  kind: string,
  input: unknown,
): Promise<string | undefined> {
  await tx.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`job ${tx.tenantId} ${kind}`]);
  const row = await tx.first<{ jobId: string }>(
    `select job_id as "jobId" from job
     where tenant_id = $1 and state in ('queued', 'running') and not cancel_asked
       and kind = $2 and input::jsonb = $3::jsonb
     order by due_at limit 1`,
    [tx.tenantId, kind, JSON.stringify(input)],
  );
  return row?.jobId;
}

/** What a caller has besides, such as their token, is never written down. */
export function askerText({ userId, roles, grants }: Asker): string {
  return JSON.stringify({ userId, roles, grants });
}

interface JobRow extends Omit<Job, 'done' | 'of' | 'result' | 'fileId' | 'problem'> {
  readonly done: bigint;
  readonly of: bigint | null;
  readonly result: Job['result'] | null;
  readonly fileId: string | null;
  readonly problem: Problem | null;
}

const columns = `
  job_id as "jobId", kind, state, done, "of", message, asked_by as "askedBy", asked_at as "askedAt",
  started_at as "startedAt", ended_at as "endedAt", result, file_id as "fileId", problem`;

function fromRow({ done, of, result, fileId, problem, ...row }: JobRow): Job {
  return {
    ...row,
    done: Number(done),
    of: of === null ? null : Number(of),
    ...(result !== null && { result }),
    ...(fileId !== null && { fileId }),
    ...(problem !== null && { problem }),
  };
}

/** `askedBy` limits it to the jobs of one person. */
export async function getJob(
  tx: TenantTransaction,
  jobId: string,
  askedBy: string | null,
): Promise<Job | undefined> {
  const row = await tx.first<JobRow>(
    `select ${columns} from job
     where tenant_id = $1 and job_id = $2 and ($3::uuid is null or asked_by = $3)`,
    [tx.tenantId, jobId, askedBy],
  );
  return row && fromRow(row);
}

export interface JobFilter {
  readonly askedBy: string | null;
  readonly states: readonly JobState[] | undefined;
  readonly after: readonly [askedAt: Date, jobId: string] | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listJobs(tx: TenantTransaction, filter: JobFilter): Promise<Job[]> {
  const { askedBy, states = null, after: [askedAt, jobId] = [], limit } = filter;
  const rows = await tx.rows<JobRow>(
    `select ${columns} from job
     where tenant_id = $1 and ($2::uuid is null or asked_by = $2) and ($3::text[] is null or state = any ($3))
       and ($4::timestamptz is null or (asked_at, job_id) < ($4, $5::uuid))
     order by asked_at desc, job_id desc
     limit $6`,
    [tx.tenantId, askedBy, states, askedAt ?? null, jobId ?? null, limit],
  );
  return rows.map(fromRow);
}

/** Ends a job that waits; asks the process that runs one. Undefined when it has ended already. */
export function cancelJob(
  tx: TenantTransaction,
  jobId: string,
): Promise<{ state: JobState; kind: string; askedBy: string } | undefined> {
  return tx.first(
    `update job
     set cancel_asked = true,
         state = case state when 'queued' then 'cancelled' else state end,
         ended_at = case state when 'queued' then now() end
     where tenant_id = $1 and job_id = $2 and state in ('queued', 'running')
     returning state, kind, asked_by as "askedBy"`,
    [tx.tenantId, jobId],
  );
}

export interface ClaimedJob {
  readonly kind: string;
  readonly input: unknown;
  readonly asker: Asker;
  readonly cause: Cause;
  readonly scheduledFor: Date | null;
  readonly cancelAsked: boolean;
}

export function getClaimed(tx: TenantTransaction, jobId: string): Promise<ClaimedJob | undefined> {
  return tx.first<ClaimedJob>(
    `select kind, input, asker, cause, scheduled_for as "scheduledFor", cancel_asked as "cancelAsked"
     from job where tenant_id = $1 and job_id = $2`,
    [tx.tenantId, jobId],
    'job_get_claimed',
  );
}

/** Whether this attempt still holds the job; until the transaction ends, nobody takes it over. */
export async function lockHeld(tx: TenantTransaction, jobId: string, attempt: number): Promise<boolean> {
  const row = await tx.first(
    `select from job where tenant_id = $1 and job_id = $2 and attempt = $3 and state = 'running' for share`,
    [tx.tenantId, jobId, attempt],
    'job_lock_held',
  );
  return row !== undefined;
}

export async function updateProgress(
  tx: TenantTransaction,
  jobId: string,
  attempt: number,
  { done, of, message }: Progress,
): Promise<void> {
  await tx.run(
    `update job set done = $4, "of" = $5, message = $6
     where tenant_id = $1 and job_id = $2 and attempt = $3 and state = 'running'`,
    [tx.tenantId, jobId, attempt, done, of ?? null, message ?? null],
    'job_progress',
  );
}

export interface JobEnd extends JobOutcome {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly progress?: Progress | undefined;
  readonly problem?: Problem;
}

/** False when the job is held by another attempt by now. */
export async function endJob(
  tx: TenantTransaction,
  jobId: string,
  attempt: number,
  { state, result, fileId, progress, problem }: JobEnd,
): Promise<boolean> {
  const ended = await tx.run(
    `update job
     set state = $4, result = $5, file_id = $6, problem = $7, ended_at = now(), lease_until = null,
         done = coalesce($8, done), "of" = coalesce($9, "of"), message = coalesce($10, message)
     where tenant_id = $1 and job_id = $2 and attempt = $3 and state = 'running'`,
    [
      tx.tenantId,
      jobId,
      attempt,
      state,
      result === undefined ? null : JSON.stringify(result),
      fileId ?? null,
      problem === undefined ? null : JSON.stringify(problem),
      progress?.done ?? null,
      progress?.of ?? null,
      problem?.title ?? progress?.message ?? null,
    ],
    'job_end',
  );
  return ended === 1;
}

/** Back into the queue, to be tried again after that time. */
export async function requeueJob(
  tx: TenantTransaction,
  jobId: string,
  attempt: number,
  { delayMs, counts }: { readonly delayMs: number; readonly counts: boolean },
): Promise<void> {
  await tx.run(
    `update job
     set state = 'queued', lease_until = null, due_at = now() + $4 * interval '1 millisecond',
         attempt = case when $5 then attempt else attempt - 1 end
     where tenant_id = $1 and job_id = $2 and attempt = $3 and state = 'running'`,
    [tx.tenantId, jobId, attempt, delayMs, counts],
  );
}

/** At most so many of those that ended so long ago. */
export function deleteEnded(
  tx: TenantTransaction,
  olderThanDays: number,
  atMost: number,
): Promise<{ jobId: string; fileId: string | null }[]> {
  return tx.rows(
    `delete from job
     where tenant_id = $1 and job_id in (
       select job_id from job
       where tenant_id = $1 and ended_at < now() - $2 * interval '1 day'
       limit $3
       for update skip locked
     )
     returning job_id as "jobId", file_id as "fileId"`,
    [tx.tenantId, olderThanDays, atMost],
  );
}
