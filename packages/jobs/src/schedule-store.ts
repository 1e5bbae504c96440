import type { TenantTransaction } from '@marimo/postgres';
import type { Asker } from './job-kind.ts';
import { askerText } from './store.ts';

export interface Schedule {
  readonly scheduleId: string;
  readonly kind: string;
  readonly input: unknown;
  readonly cron: string;
  readonly timeZone: string;
  readonly asker: Asker;
  readonly nextAt: Date;
}

export async function upsertSchedule(tx: TenantTransaction, schedule: Schedule): Promise<void> {
  const { scheduleId, kind, input, cron, timeZone, asker, nextAt } = schedule;
  await tx.run(
    `insert into job_schedule (tenant_id, schedule_id, kind, input, cron, time_zone, created_by, asker, next_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, schedule_id) do update
       set kind = excluded.kind, input = excluded.input, cron = excluded.cron, time_zone = excluded.time_zone,
           created_by = excluded.created_by, asker = excluded.asker, next_at = excluded.next_at`,
    [
      tx.tenantId,
      scheduleId,
      kind,
      JSON.stringify(input),
      cron,
      timeZone,
      asker.userId,
      askerText(asker),
      nextAt,
    ],
  );
}

/** When it last asked for its work; until the transaction ends it does not do so again. */
export async function lockLastTime(tx: TenantTransaction, scheduleId: string): Promise<Date | null> {
  const row = await tx.first<{ lastAt: Date | null }>(
    `select last_at as "lastAt" from job_schedule where tenant_id = $1 and schedule_id = $2 for update`,
    [tx.tenantId, scheduleId],
  );
  return row?.lastAt ?? null;
}

export async function deleteSchedule(tx: TenantTransaction, scheduleId: string): Promise<boolean> {
  const sql = 'delete from job_schedule where tenant_id = $1 and schedule_id = $2';
  return (await tx.run(sql, [tx.tenantId, scheduleId])) === 1;
}

/** One that is due, unless another process is at it. */
export function lockDueSchedule(
  tx: TenantTransaction,
  scheduleId: string,
  now: Date,
): Promise<Schedule | undefined> {
  return tx.first<Schedule>(
    `select schedule_id as "scheduleId", kind, input, cron, time_zone as "timeZone", asker, next_at as "nextAt"
     from job_schedule
     where tenant_id = $1 and schedule_id = $2 and next_at <= $3
     for update skip locked`,
    [tx.tenantId, scheduleId, now],
  );
}

export async function moveSchedule(
  tx: TenantTransaction,
  scheduleId: string,
  lastAt: Date,
  nextAt: Date,
): Promise<void> {
  await tx.run(
    'update job_schedule set last_at = $3, next_at = $4 where tenant_id = $1 and schedule_id = $2',
    [tx.tenantId, scheduleId, lastAt, nextAt],
  );
}
