import type { Database, Transaction } from '@marimo/postgres';

const retentionDays = 30;
const sweepRows = 10_000;
const sweepWithinMs = 60_000;

/**
 * Which of these events, in lower case, this consumer meets for the first time; a concurrent delivery of one waits here until we know. In
 * the order of their ids, so that two processes with the same events never wait for each other.
 */
export async function recordInInbox(
  tx: Transaction,
  consumer: string,
  eventIds: readonly string[],
): Promise<Set<string>> {
  const sql = `
    insert into inbox (tenant_id, consumer, event_id)
    select $1, $2, event_id from unnest($3::uuid[]) as event_id order by event_id
    on conflict do nothing
    returning event_id as "eventId"`;
  const fresh = await tx.rows<{ eventId: string }>(sql, [tx.tenantId, consumer, eventIds], 'inbox.record');
  return new Set(fresh.map(({ eventId }) => eventId));
}

/**
 * Forgets what is older than any delivery can be; as the relay, who sees all tenants. A dead letter that is replayed
 * later still has its effect once, for it never had one before.
 */
export async function sweepInbox(relayDatabase: Database): Promise<void> {
  const sql = `
    delete from inbox where ctid = any(array(
      select ctid from inbox where handled_at < now() - $1 * interval '1 day' limit $2))`;
  for (let swept = sweepRows; swept === sweepRows; ) {
    swept = await relayDatabase.withoutTenant((tx) => tx.run(sql, [retentionDays, sweepRows]), {
      deadlineAt: Date.now() + sweepWithinMs,
    });
  }
}
