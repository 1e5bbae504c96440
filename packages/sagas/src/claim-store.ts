import type { Transaction } from '@marimo/postgres';
import type { Held } from './saga.ts';

// All of it as the relay, who sees which sagas there are, when they are due, and nothing of what they do.

/** Takes up what is due, the longest due first; what another instance is taking up is passed over. */
export function claimDue(tx: Transaction, limit: number, leaseMs: number): Promise<Held[]> {
  const sql = `
    with due as (
      select tenant_id, saga_id from saga
      where due_at <= clock_timestamp()
      order by due_at
      limit $1
      for update skip locked
    )
    update saga
    set due_at = clock_timestamp() + $2 * interval '1 millisecond', holding = saga.holding + 1
    from due
    where saga.tenant_id = due.tenant_id and saga.saga_id = due.saga_id
    returning saga.tenant_id as "tenantId", saga.saga_id as "sagaId", saga.holding`;
  return tx.rows(sql, [limit, leaseMs], 'saga.claim');
}

/**
 * Keeps what is held from being taken over; returns those that have been, or that have ended. What a transaction of its
 * holder has locked is passed over: nobody can take it up, and waiting for it would let the other leases run out.
 */
export async function extendLeases(tx: Transaction, held: readonly Held[], leaseMs: number): Promise<Held[]> {
  const sql = `
    with mine as (
      select * from unnest($1::uuid[], $2::uuid[], $3::int[]) as mine (tenant_id, saga_id, holding)
    ), free as (
      select tenant_id, saga_id from saga
      where (tenant_id, saga_id, holding) in (select * from mine)
        and due_at < clock_timestamp() + $4 * interval '1 millisecond'
      for update skip locked
    ), extended as (
      update saga set due_at = clock_timestamp() + $4 * interval '1 millisecond'
      from free where saga.tenant_id = free.tenant_id and saga.saga_id = free.saga_id
    )
    select saga_id as "sagaId", holding from saga
    where (tenant_id, saga_id, holding) in (select * from mine) and due_at is not null`;
  const columns = [
    held.map(({ tenantId }) => tenantId),
    held.map(({ sagaId }) => sagaId),
    held.map(({ holding }) => holding),
  ];
  const kept = await tx.rows<Omit<Held, 'tenantId'>>(sql, [...columns, leaseMs], 'saga.extend');
  const names = new Set(kept.map(({ sagaId, holding }) => `${sagaId} ${holding}`));
  return held.filter(({ sagaId, holding }) => !names.has(`${sagaId} ${holding}`));
}

/** Those that need a person, and for how long the longest due has waited to be taken up. */
export async function measureSagas(tx: Transaction): Promise<{ stuck: number; oldestDueSeconds: number }> {
  const sql = `
    select (select count(*)::int from saga where state = 'stuck') as stuck,
           coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8 as "oldestDueSeconds"
    from saga where due_at is not null`;
  const found = await tx.first<{ stuck: number; oldestDueSeconds: number }>(sql);
  return { stuck: found?.stuck ?? 0, oldestDueSeconds: Math.max(0, found?.oldestDueSeconds ?? 0) };
}

/** Their steps go with them. Returns how many; at most `limit`. */
export function deleteOldSagas(tx: Transaction, days: number, limit: number): Promise<number> {
  const sql = `
    delete from saga where (tenant_id, saga_id) in (
      select tenant_id, saga_id from saga where finished_at < now() - $1 * interval '1 day' limit $2)`;
  return tx.run(sql, [days, limit]);
}
