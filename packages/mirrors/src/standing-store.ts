import type { TenantTransaction, Transaction } from '@marimo/postgres';

export type MirrorState = 'unfilled' | 'filled' | 'closed';

/** A comparison as it was taken up. */
export interface Comparison {
  readonly tenantId: string;
  /** Null: all of it is compared. */
  readonly comparedTo: Date | null;
  readonly lastId: string | null;
}

/**
 * How the mirror stands in this organisation; where nobody has asked for it yet, it is filled soon. Held until the end of
 * the transaction: nobody closes it meanwhile, and it may be compared.
 */
export async function holdStanding(tx: TenantTransaction, record: string): Promise<MirrorState> {
  for (;;) {
    const found = await tx.first<{ state: MirrorState }>(
      'select state from mirror_standing where tenant_id = $1 and record = $2 for key share',
      [tx.tenantId, record],
      'mirror.hold',
    );
    if (found !== undefined) return found.state;
    await insertStanding(tx, record);
  }
}

export async function insertStanding(tx: TenantTransaction, record: string): Promise<void> {
  const sql = 'insert into mirror_standing (tenant_id, record) values ($1, $2) on conflict do nothing';
  await tx.run(sql, [tx.tenantId, record]);
}

export async function isFilled(tx: TenantTransaction, record: string): Promise<boolean> {
  const sql = `select from mirror_standing where tenant_id = $1 and record = $2 and state <> 'unfilled'`;
  return (await tx.first(sql, [tx.tenantId, record])) !== undefined;
}

/** For good. Waits for those who hold it, so that nothing is written behind it. */
export async function closeStanding(tx: TenantTransaction, record: string): Promise<void> {
  await insertStanding(tx, record);
  await tx.first('select from mirror_standing where tenant_id = $1 and record = $2 for update', [
    tx.tenantId,
    record,
  ]);
  const sql = `update mirror_standing set state = 'closed', due_at = null where tenant_id = $1 and record = $2`;
  await tx.run(sql, [tx.tenantId, record]);
}

export interface ComparedPage {
  readonly asOf: Date;
  /** Null: it was the last. */
  readonly next: string | null;
  readonly againAfterMs: number;
}

/** Unless it was ordered anew, or another process has gone on with it. */
export async function advanceStanding(
  tx: TenantTransaction,
  record: string,
  { comparedTo, lastId }: Comparison,
  { asOf, next, againAfterMs }: ComparedPage,
): Promise<void> {
  const sql = `
    update mirror_standing set
      state = case when $6::uuid is null then 'filled' else state end,
      compared_to = case when $6::uuid is null then coalesce(began_at, $5) else compared_to end,
      began_at = case when $6::uuid is null then null else coalesce(began_at, $5) end,
      last_id = $6,
      due_at = now() + case when $6::uuid is null then $7::float8 else 0 end * interval '1 millisecond',
      failures = 0
    where tenant_id = $1 and record = $2 and state <> 'closed'
      and compared_to is not distinct from $3::timestamptz and last_id is not distinct from $4::uuid`;
  await tx.run(sql, [tx.tenantId, record, comparedTo, lastId, asOf, next, againAfterMs]);
}

/** Tries again after a second, two, four, and so on to ten minutes. */
export async function postponeStanding(tx: TenantTransaction, record: string): Promise<void> {
  const sql = `
    update mirror_standing
    set failures = failures + 1, due_at = now() + least(power(2, least(failures, 20)), 600) * interval '1 second'
    where tenant_id = $1 and record = $2 and state <> 'closed'`;
  await tx.run(sql, [tx.tenantId, record]);
}

// As the relay, who sees the standings of all tenants.

/** Takes up the one that is due longest, for as long as a process may take for a page. */
export function claimComparison(
  tx: Transaction,
  record: string,
  leaseMs: number,
): Promise<Comparison | undefined> {
  const sql = `
    with due as (
      select tenant_id, record from mirror_standing
      where record = $1 and due_at <= clock_timestamp()
      order by due_at limit 1
      for no key update skip locked
    )
    update mirror_standing as standing set due_at = clock_timestamp() + $2 * interval '1 millisecond'
    from due where standing.tenant_id = due.tenant_id and standing.record = due.record
    returning standing.tenant_id as "tenantId", compared_to as "comparedTo", last_id as "lastId"`;
  return tx.first<Comparison>(sql, [record, leaseMs], 'mirror.claim');
}

/** In every organisation that the service knows of. */
export async function insertStandings(tx: Transaction, record: string): Promise<void> {
  const sql = `
    insert into mirror_standing (tenant_id, record)
    select tenant_id, $1 from organisation_facts on conflict do nothing`;
  await tx.run(sql, [record]);
}

/** To be compared from the beginning; what is there serves meanwhile. Returns in how many organisations. */
export function restartStandings(
  tx: Transaction,
  record: string,
  organisationId: string | undefined,
): Promise<number> {
  const sql = `
    update mirror_standing
    set compared_to = null, began_at = null, last_id = null, due_at = now(), failures = 0
    where record = $1 and state <> 'closed' and ($2::uuid is null or tenant_id = $2)`;
  return tx.run(sql, [record, organisationId ?? null]);
}

export async function getOldestDueSeconds(tx: Transaction): Promise<number> {
  const found = await tx.first<{ seconds: number }>(
    `select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8 as seconds
     from mirror_standing where due_at is not null`,
  );
  return Math.max(0, found?.seconds ?? 0);
}
