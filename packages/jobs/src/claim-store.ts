import type { Transaction } from '@marimo/postgres';

// As the relay, which sees whose jobs wait and never what they are.

export interface HeldJob {
  readonly tenantId: string;
  readonly jobId: string;
  /** Also the proof of still holding it. */
  readonly attempt: number;
}

/**
 * Takes one job. Organisations take turns: first the one with the fewest running jobs, and the one whose job has waited
 * longest. The look-up hops from organisation to organisation, so it does not read the thousands that one may have queued.
 */
export async function claimJob(
  tx: Transaction,
  leaseMs: number,
  exceptTenants: readonly string[],
): Promise<HeldJob | undefined> {
  const candidates = await tx.rows<{ tenantId: string; jobId: string }>(
    `with recursive organisation as (
       (select tenant_id from job where state = 'queued' order by tenant_id limit 1)
       union all
       select (select job.tenant_id from job
                where job.state = 'queued' and job.tenant_id > organisation.tenant_id
                order by job.tenant_id limit 1)
       from organisation where organisation.tenant_id is not null
     )
     select organisation.tenant_id as "tenantId", first.job_id as "jobId"
     from organisation
     cross join lateral (
       select job.job_id, job.due_at from job
       where job.tenant_id = organisation.tenant_id and job.state = 'queued' and job.due_at <= now()
       order by job.due_at, job.job_id limit 1
     ) as first
     cross join lateral (
       select count(*) as jobs from job where job.tenant_id = organisation.tenant_id and job.state = 'running'
     ) as running
     where organisation.tenant_id <> all ($1::uuid[])
     order by running.jobs, first.due_at, first.job_id
     limit 5`,
    [exceptTenants],
    'job_candidates',
  );
  for (const { tenantId, jobId } of candidates) {
    const held = await tx.first<HeldJob>(
      `update job
       set state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, now()),
           lease_until = now() + $3 * interval '1 millisecond'
       where tenant_id = $1 and job_id = $2 and state = 'queued'
       returning tenant_id as "tenantId", job_id as "jobId", attempt`,
      [tenantId, jobId, leaseMs],
      'job_claim',
    );
    if (held !== undefined) return held; // otherwise another process was quicker
  }
  return undefined;
}

/** Those that are still held by these attempts, and whether each is to be cancelled. */
export function extendLeases(
  tx: Transaction,
  held: readonly HeldJob[],
  leaseMs: number,
): Promise<{ jobId: string; cancelAsked: boolean }[]> {
  return tx.rows(
    `update job set lease_until = now() + $4 * interval '1 millisecond'
     from unnest($1::uuid[], $2::uuid[], $3::int[]) as held (tenant_id, job_id, attempt)
     where job.tenant_id = held.tenant_id and job.job_id = held.job_id and job.attempt = held.attempt
       and job.state = 'running'
     returning job.job_id as "jobId", job.cancel_asked as "cancelAsked"`,
    [
      held.map(({ tenantId }) => tenantId),
      held.map(({ jobId }) => jobId),
      held.map(({ attempt }) => attempt),
      leaseMs,
    ],
    'job_extend_leases',
  );
}

/** Returns jobs whose process has gone silent to the queue. */
export function requeueSilent(tx: Transaction): Promise<number> {
  return tx.run(
    `update job set state = 'queued', lease_until = null, due_at = now()
     where state = 'running' and lease_until < now()`,
    [],
    'job_requeue_silent',
  );
}

/** For how long the job has waited that is due the longest. */
export async function getOldestDueSeconds(tx: Transaction): Promise<number> {
  const row = await tx.first<{ seconds: number }>(
    `select extract(epoch from now() - min(due_at))::float8 as seconds from job
     where state = 'queued' and due_at <= now()`,
  );
  return row?.seconds ?? 0;
}

/** The organisations that have jobs which ended so long ago. */
export async function listTenantsOfEnded(tx: Transaction, olderThanDays: number): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    `select distinct tenant_id as "tenantId" from job where ended_at < now() - $1 * interval '1 day'`,
    [olderThanDays],
  );
  return rows.map(({ tenantId }) => tenantId);
}

export interface DueSchedule {
  readonly tenantId: string;
  readonly scheduleId: string;
}

export function listDueSchedules(tx: Transaction, now: Date): Promise<DueSchedule[]> {
  return tx.rows(
    `select tenant_id as "tenantId", schedule_id as "scheduleId" from job_schedule
     where next_at <= $1 order by next_at limit 100`,
    [now],
    'job_due_schedules',
  );
}
