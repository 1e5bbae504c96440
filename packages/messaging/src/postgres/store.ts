import type { Envelope } from '@marimo/contracts';
import type { Transaction } from '@marimo/postgres';
import type { DeadLetter, QueueDepth } from '../transport.ts';

/** Keeps what no queue takes, until one does. Cannot be consumed: no queue may have this name. */
export const unroutable = 'unroutable';

/** No transaction here has more to do; notices a database that has gone silent. */
export const transactionWithinMs = 20_000;

export interface QueuePatterns {
  readonly name: string;
  readonly patterns: readonly string[];
}

/** The lock makes us wait for events that are just being published by the old bindings, and those after for us. */
export async function saveQueues(tx: Transaction, queues: readonly QueuePatterns[]): Promise<void> {
  await tx.run('lock table queue in access exclusive mode');
  await tx.run(
    `insert into queue (name, patterns)
     select name, patterns from json_to_recordset($1) as declared (name text, patterns text[])
     on conflict (name) do update set patterns = excluded.patterns`,
    [JSON.stringify(queues)],
  );
}

export async function deliverUnroutable(tx: Transaction): Promise<void> {
  const sql = `
    with freed as (
      delete from delivery
      where queue = $1
        and exists (select 1 from queue where '.' || delivery.type ~ any (queue.patterns))
      returning id, event_id, type, envelope
    )
    insert into delivery (queue, event_id, type, envelope)
    select queue.name, freed.event_id, freed.type, freed.envelope
    from freed join queue on '.' || freed.type ~ any (queue.patterns)
    order by freed.id`;
  await tx.run(sql, [unroutable]);
}

/**
 * Returns the queues that have something new. Each type is held against the patterns once, however many events have it;
 * arrays stand in "(select …)" because a plan for their true length would be made at every call.
 */
export async function insertDeliveries(tx: Transaction, envelopes: readonly Envelope[]): Promise<string[]> {
  const sql = `
    with bound as materialized (
      select given.type, coalesce(queue.name, $1) as queue
      from (select distinct type from unnest((select $3::text[])) as given (type)) as given
      left join queue on '.' || given.type ~ any (queue.patterns)
    ), stored as (
      insert into delivery (queue, event_id, type, envelope)
      select bound.queue, event.id, event.type, event.envelope::json
      from unnest((select $2::uuid[]), (select $3::text[]), (select $4::text[]))
        with ordinality as event (id, type, envelope, place)
      join bound using (type)
      order by event.place
      returning queue
    )
    select distinct queue from stored`;
  const ids = envelopes.map(({ id }) => id);
  const types = envelopes.map(({ type }) => type);
  const texts = envelopes.map((envelope) => JSON.stringify(envelope));
  const rows = await tx.rows<{ queue: string }>(sql, [unroutable, ids, types, texts], 'delivery.add');
  return rows.map(({ queue }) => queue);
}

export interface HeldDelivery {
  readonly id: bigint;
  /** Also the proof of still holding it: whoever takes it after our lease ran out gets the next number. */
  readonly attempt: number;
}

export interface TakenDelivery extends HeldDelivery {
  readonly envelope: Envelope;
}

export function takeDeliveries(
  tx: Transaction,
  queue: string,
  limit: number,
  leaseMs: number,
): Promise<TakenDelivery[]> {
  const sql = `
    with due as (
      select id from delivery
      where queue = $1 and due_at <= now()
      order by due_at, id
      limit $2
      for update skip locked
    )
    update delivery
    set attempt = attempt + 1, due_at = clock_timestamp() + $3 * interval '1 millisecond'
    from due
    where delivery.id = due.id
    returning delivery.id, delivery.attempt, delivery.envelope`;
  return tx.rows(sql, [queue, limit, leaseMs], 'delivery.take');
}

export function extendLeases(
  tx: Transaction,
  held: readonly HeldDelivery[],
  leaseMs: number,
): Promise<number> {
  const sql = `
    update delivery
    set due_at = clock_timestamp() + $3 * interval '1 millisecond'
    from unnest($1::bigint[], $2::int[]) as held (id, attempt)
    where delivery.id = held.id and delivery.attempt = held.attempt`;
  return tx.run(sql, [...columns(held), leaseMs]);
}

export function deleteDone(tx: Transaction, done: readonly HeldDelivery[]): Promise<number> {
  const sql = `
    delete from delivery
    using unnest($1::bigint[], $2::int[]) as done (id, attempt)
    where delivery.id = done.id and delivery.attempt = done.attempt`;
  return tx.run(sql, columns(done), 'delivery.done');
}

export interface DelayedDelivery extends HeldDelivery {
  readonly delayMs: number;
}

export function delayDeliveries(tx: Transaction, failed: readonly DelayedDelivery[]): Promise<number> {
  const sql = `
    update delivery
    set due_at = clock_timestamp() + failed.delay * interval '1 millisecond'
    from unnest($1::bigint[], $2::int[], $3::int[]) as failed (id, attempt, delay)
    where delivery.id = failed.id and delivery.attempt = failed.attempt`;
  return tx.run(sql, [...columns(failed), failed.map(({ delayMs }) => delayMs)]);
}

export interface LostDelivery extends HeldDelivery {
  readonly reason: string;
  readonly attempts: number;
}

export function parkDeliveries(tx: Transaction, lost: readonly LostDelivery[]): Promise<number> {
  const sql = `
    with parked as (
      delete from delivery
      using unnest($1::bigint[], $2::int[], $3::text[], $4::int[]) as lost (id, attempt, reason, attempts)
      where delivery.id = lost.id and delivery.attempt = lost.attempt
      returning queue, event_id, type, envelope, lost.attempts, lost.reason
    )
    insert into dead_letter (queue, event_id, type, envelope, attempts, reason)
    select queue, event_id, type, envelope, attempts, reason from parked`;
  const reasons = lost.map(({ reason }) => reason);
  return tx.run(sql, [...columns(lost), reasons, lost.map(({ attempts }) => attempts)]);
}

export async function selectDeadLetters(
  tx: Transaction,
  queue: string,
  limit: number,
): Promise<DeadLetter[]> {
  const sql = `
    select event_id as id, queue, envelope, reason, attempts, died_at
    from dead_letter where queue = $1
    order by id limit $2`;
  const rows = await tx.rows<Omit<DeadLetter, 'diedAt'> & { died_at: Date }>(sql, [queue, limit]);
  return rows.map(({ died_at, ...letter }) => ({ ...letter, diedAt: died_at.toISOString() }));
}

/** Null ids stand for all. */
export function returnDeadLetters(
  tx: Transaction,
  queue: string,
  ids: readonly string[] | null,
): Promise<number> {
  const sql = `
    with replayed as (
      delete from dead_letter
      where queue = $1 and ($2::uuid[] is null or event_id = any ($2::uuid[]))
      returning id, queue, event_id, type, envelope
    )
    insert into delivery (queue, event_id, type, envelope)
    select queue, event_id, type, envelope from replayed order by id`;
  return tx.run(sql, [queue, ids]);
}

export async function selectDepth(tx: Transaction, queue: string): Promise<QueueDepth> {
  const sql = `
    select
      (select count(*)::int from delivery where queue = $1 and due_at <= now()) as waiting,
      (select count(*)::int from dead_letter where queue = $1) as dead`;
  return (await tx.first<QueueDepth>(sql, [queue])) ?? { waiting: 0, dead: 0 };
}

export async function selectDueQueues(tx: Transaction, queues: readonly string[]): Promise<string[]> {
  const sql = `
    select name from unnest($1::text[]) as listened (name)
    where exists (select 1 from delivery where queue = name and due_at <= now())`;
  const rows = await tx.rows<{ name: string }>(sql, [queues], 'delivery.due');
  return rows.map(({ name }) => name);
}

function columns(held: readonly HeldDelivery[]): [bigint[], number[]] {
  return [held.map(({ id }) => id), held.map(({ attempt }) => attempt)];
}
