import type { Database, Transaction } from '@marimo/postgres';

const retentionDays = 30;
const sweepRows = 10_000;
const sweepWithinMs = 60_000;

/** Whether this consumer meets the event for the first time; a concurrent delivery waits here until we know. */
export async function recordInInbox(tx: Transaction, consumer: string, eventId: string): Promise<boolean> {
  const sql = `
    insert into inbox (tenant_id, consumer, event_id) values ($1, $2, $3)
    on conflict do nothing`;
  return (await tx.run(sql, [tx.tenantId, consumer, eventId], 'inbox.record')) === 1;
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
