import { MalformedRequest } from '@marimo/contracts';
import {
  type AnyRecord,
  type Fields,
  listedFields,
  type ParsedQuery,
  type RecordCount,
  type RecordDeclaration,
  type RecordValue,
  type Transitions,
} from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake } from './columns.ts';
import { withCustomFields } from './custom-fields.ts';
import { conditionsOf, type Restriction } from './filters.ts';
import { columnsOf, fromRow, type RecordValues } from './rows.ts';
import { searchCondition } from './search.ts';
import {
  cursorAfter,
  keyColumns,
  orderBy,
  orderByKeys,
  rangesBehind,
  readCursorOf,
  type Sort,
  sortOf,
} from './sorts.ts';
import { Statement } from './statement.ts';

export interface Page {
  readonly items: Readonly<Record<string, unknown>>[];
  readonly next: string | null;
  readonly count?: RecordCount;
}

/** One page of a list by its grammar: filters, text, sort, chosen fields, cursor and count. */
export async function listRecords(
  tx: TenantTransaction,
  record: AnyRecord,
  query: ParsedQuery,
  restriction: Restriction = {},
): Promise<Page> {
  const { limit, sort: name, after, fields } = query as unknown as PageParts;
  const known = await withCustomFields(tx, record, query);
  const sort = sortOf(known.record, name);
  const statement = new Statement(tx.tenantId);
  const conditions = await allConditions(tx, known, statement, restriction);
  const shown = shownFields(record, fields, restriction);
  const columns = [snake(record.idField), 'version', ...columnsOf(record, shown)].join(', ');
  const source = (range?: string) => `
    select ${columns}, ${keyColumns(sort)}
    from ${record.table}
    where ${[`tenant_id = $1`, ...conditions, ...(range === undefined ? [] : [range])].join(' and ')}
    order by ${orderBy(sort)}
    limit ${limit + 1}`;
  const sql = after === undefined ? source() : pageBehind(sort, after, limit, statement, source);
  const rows =
    sql === undefined ? [] : await tx.rows<Readonly<Record<string, unknown>>>(sql, statement.values);
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: items.map((row) => fromRow(record, row, shown)),
    next: last === undefined ? null : cursorAfter(sort, last),
    ...(query['count'] === true && { count: await countRecords(tx, known, restriction) }),
  };
}

interface PageParts {
  readonly limit: number;
  readonly sort?: string;
  readonly after?: string;
  readonly fields?: readonly string[];
}

/** Ranges of the index one after the other, each cut to a page, and of what they give the first. */
function pageBehind(
  sort: Sort,
  after: string,
  limit: number,
  statement: Statement,
  source: (range: string) => string,
): string | undefined {
  const ranges = rangesBehind(sort, readCursorOf(sort, after), statement);
  if (ranges.length === 0) return undefined;
  if (ranges.length === 1) return source(ranges[0] as string);
  const rows = ranges.map((range) => `(${source(range)})`).join(' union all ');
  return `select * from (${rows}) as page order by ${orderByKeys(sort)} limit ${limit + 1}`;
}

/** A query of a record, with the custom fields that it names. */
export interface Asked {
  readonly record: AnyRecord;
  readonly query: ParsedQuery;
}

/** All that decides which rows belong to a list. Errors: MalformedRequest, when it names a hidden field. */
export async function allConditions(
  tx: TenantTransaction,
  { record, query }: Asked,
  statement: Statement,
  restriction: Restriction,
): Promise<string[]> {
  requireVisible(query, restriction);
  const text = query['text'] as string | undefined;
  const searched =
    text === undefined ? [] : [await searchCondition(tx, record, text, statement, restriction)];
  return [...conditionsOf(record, query, statement, restriction), ...searched];
}

/** Whoever may not see a field learns nothing of it by filters, sorts or sums either. */
function requireVisible(query: ParsedQuery, { hidden = [] }: Restriction): void {
  const { sort = '', by = [], sum = [], average = [], least = [], most = [], ...filters } = query;
  const measured = [by, sum, average, least, most].flat() as string[];
  const named = [...Object.keys(filters), ...String(sort).replaceAll('-', '').split(','), ...measured];
  const wrong = named.filter((name) => hidden.includes(name.split('.')[0] ?? ''));
  if (wrong.length === 0) return;
  throw new MalformedRequest({
    errors: wrong.map((name) => ({ pointer: `?${name}`, detail: 'unknown field' })),
  });
}

function shownFields(
  record: AnyRecord,
  chosen: readonly string[] | undefined,
  { hidden = [] }: Restriction,
): string[] {
  return (chosen ?? listedFields(record)).filter((name) => !hidden.includes(name));
}

const mostCounted = 10_000;

/** Exact to ten thousand; beyond, what the planner expects. */
async function countRecords(
  tx: TenantTransaction,
  asked: Asked,
  restriction: Restriction,
): Promise<RecordCount> {
  const statement = new Statement(tx.tenantId);
  const conditions = await allConditions(tx, asked, statement, restriction);
  const rows = `from ${asked.record.table} where ${['tenant_id = $1', ...conditions].join(' and ')}`;
  const counted = await tx.first<{ count: bigint }>(
    `select count(*) from (select 1 ${rows} limit ${mostCounted + 1}) as counted`,
    statement.values,
  );
  const value = Number(counted?.count ?? 0n);
  if (value <= mostCounted) return { value, isExact: true };
  const plan = await tx.first<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `explain (format json) select 1 ${rows}`,
    statement.values,
  );
  const expected = plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? value;
  return { value: Math.max(mostCounted, Math.round(expected)), isExact: false };
}

/** The records with these values of their key, in any order; for records whose key is one field. */
export async function listRecordsByKey<
  Name extends string,
  F extends Fields,
  State extends string,
  T extends Transitions,
>(
  tx: TenantTransaction,
  declaration: RecordDeclaration<Name, F, State, T>,
  keys: readonly string[],
): Promise<RecordValue<Name, F, State>[]> {
  const record = declaration as unknown as AnyRecord;
  const [key = ''] = record.key;
  const fields = listedFields(record);
  const columns = [snake(record.idField), 'version', ...columnsOf(record, fields)].join(', ');
  const sql = `select ${columns} from ${record.table} where tenant_id = $1 and ${snake(key)} = any($2)`;
  const rows = await tx.rows<RecordValues>(sql, [tx.tenantId, keys]);
  return rows.map((row) => fromRow(record, row, fields)) as unknown as RecordValue<Name, F, State>[];
}
