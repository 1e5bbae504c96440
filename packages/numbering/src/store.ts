import type { NumberSeriesChange } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';

export async function getPattern(
  tx: TenantTransaction,
  series: string,
): Promise<{ pattern: string; version: number } | undefined> {
  const sql = 'select pattern, version from number_pattern where tenant_id = $1 and series = $2';
  return tx.first(sql, [tx.tenantId, series], 'number_pattern get');
}

/** The pattern, which nobody else sets until the transaction ends. */
export async function lockPattern(
  tx: TenantTransaction,
  series: string,
  usual: string,
): Promise<{ pattern: string; version: number }> {
  await tx.run('insert into number_pattern values ($1, $2, $3, 0) on conflict do nothing', [
    tx.tenantId,
    series,
    usual,
  ]);
  const sql = 'select pattern, version from number_pattern where tenant_id = $1 and series = $2 for update';
  return (await tx.first<{ pattern: string; version: number }>(sql, [tx.tenantId, series])) as never;
}

export async function updatePattern(
  tx: TenantTransaction,
  { series, version, at, by, pattern, next }: NumberSeriesChange,
): Promise<void> {
  await tx.run('update number_pattern set pattern = $3, version = $4 where tenant_id = $1 and series = $2', [
    tx.tenantId,
    series,
    pattern,
    version,
  ]);
  await tx.run('insert into number_series_change values ($1, $2, $3, $4, $5, $6, $7)', [
    tx.tenantId,
    series,
    version,
    at,
    by,
    pattern,
    next,
  ]);
}

/** Newest first, below a version. */
export async function listNumberSeriesChanges(
  tx: TenantTransaction,
  series: string,
  { below, limit }: { readonly below: number | undefined; readonly limit: number },
): Promise<NumberSeriesChange[]> {
  const sql = `
    select series, version, changed_at as at, changed_by as by, pattern, next from number_series_change
    where tenant_id = $1 and series = $2 and version < coalesce($3, 2147483647)
    order by version desc limit $4`;
  return tx.rows(sql, [tx.tenantId, series, below ?? null, limit]);
}

/** The only lane: others wait from here until the transaction ends, and get the number if it is rolled back. */
export async function takeNext(tx: TenantTransaction, series: string, frame: string): Promise<bigint> {
  const sql = `
    insert into number_counter as counter values ($1, $2, $3, 0, 0, 1)
    on conflict (tenant_id, series, frame, lane) do update set last_number = counter.last_number + 1
    returning last_number as number`;
  const taken = await tx.first<{ number: bigint }>(sql, [tx.tenantId, series, frame], 'number_counter take');
  return (taken as { number: bigint }).number;
}

export async function insertLanes(
  tx: TenantTransaction,
  series: string,
  frame: string,
  lanes: number,
): Promise<void> {
  const sql = `
    insert into number_counter select $1, $2, $3, lane, lane + 1 - $4, lane + 1 - $4 from generate_series(0, $4 - 1) as lane
    on conflict do nothing`;
  await tx.run(sql, [tx.tenantId, series, frame, lanes]);
}

/** The lane with the least number, of those that nobody holds if there are some. Each lane gives every so many-th number. */
export async function takeFromLane(
  tx: TenantTransaction,
  series: string,
  frame: string,
  lanes: number,
): Promise<bigint | undefined> {
  const free = `
    select lane from number_counter where tenant_id = $1 and series = $2 and frame = $3
    order by last_number limit 1 for update`;
  const values = [tx.tenantId, series, frame];
  const lane =
    (await tx.first<{ lane: number }>(`${free} skip locked`, values)) ??
    (await tx.first<{ lane: number }>(free, values));
  if (lane === undefined) return undefined;
  const sql = `
    update number_counter set last_number = last_number + $5
    where tenant_id = $1 and series = $2 and frame = $3 and lane = $4 returning last_number as number`;
  return (await tx.first<{ number: bigint }>(sql, [...values, lane.lane, lanes]))?.number;
}

/** The last number given in a frame, or null; and what is given next. */
export async function getCounter(
  tx: TenantTransaction,
  series: string,
  frame: string,
  lanes: number,
): Promise<{ last: bigint | null; next: bigint }> {
  const sql = `
    select max(last_number) filter (where last_number > started_after) as last,
           coalesce(min(last_number) + $4, 1) as next
    from number_counter where tenant_id = $1 and series = $2 and frame = $3`;
  return (await tx.first<{ last: bigint | null; next: bigint }>(sql, [
    tx.tenantId,
    series,
    frame,
    lanes,
  ])) as never;
}

/** Nobody takes a number of the frame until the transaction ends. */
export async function lockLanes(tx: TenantTransaction, series: string, frame: string): Promise<void> {
  const sql = `
    select from number_counter where tenant_id = $1 and series = $2 and frame = $3 order by lane for update`;
  await tx.rows(sql, [tx.tenantId, series, frame]);
}

export async function updateNext(
  tx: TenantTransaction,
  series: string,
  frame: string,
  next: number,
  lanes: number,
): Promise<void> {
  const sql = `
    update number_counter set last_number = $4::bigint + lane - $5,
      started_after = case when last_number > started_after then started_after else $4::bigint + lane - $5 end
    where tenant_id = $1 and series = $2 and frame = $3`;
  await tx.run(sql, [tx.tenantId, series, frame, next, lanes]);
}

/** In which numbers have been given. */
export async function listUsedFrames(
  tx: TenantTransaction,
  series: string,
): Promise<{ frame: string; last: bigint }[]> {
  const sql = `
    select frame, max(last_number) as last from number_counter
    where tenant_id = $1 and series = $2 and last_number > started_after group by frame order by frame`;
  return tx.rows(sql, [tx.tenantId, series]);
}
