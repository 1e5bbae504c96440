import { type AnyRecord, listedFields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake } from './columns.ts';
import { columnsOf, fromRow, type RecordValues } from './rows.ts';
import { Statement } from './statement.ts';

/** The query of a record's `mirror` endpoint, after parsing. */
export interface MirrorQuery {
  readonly fields?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly after?: string | undefined;
  readonly changedFrom?: Date | undefined;
  readonly limit: number;
}

/** One page in the order of ids, which the primary key serves; or those with these ids. */
export async function listForMirror(
  tx: TenantTransaction,
  record: AnyRecord,
  { fields = listedFields(record), ids, after, changedFrom, limit }: MirrorQuery,
): Promise<{ readonly items: readonly RecordValues[]; readonly next: string | null }> {
  const id = snake(record.idField);
  const statement = new Statement(tx.tenantId);
  const conditions = ['tenant_id = $1'];
  if (ids !== undefined) conditions.push(`${id} = any(${statement.value(ids, 'uuid[]')})`);
  if (after !== undefined) conditions.push(`${id} > ${statement.value(after, 'uuid')}`);
  if (changedFrom !== undefined)
    conditions.push(`changed_at >= ${statement.value(changedFrom, 'timestamptz')}`);
  const sql = `
    select ${[id, 'version', ...columnsOf(record, fields)].join(', ')} from ${record.table}
    where ${conditions.join(' and ')} order by ${id} limit ${limit + 1}`;
  const rows = await tx.rows<RecordValues>(sql, statement.values);
  const items = rows.slice(0, limit).map((row) => fromRow(record, row, fields));
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: (last?.[record.idField] as string | undefined) ?? null };
}
