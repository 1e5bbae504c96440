import { type AnyRecord, listedFields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake, storedFields } from '../columns.ts';
import { conditionsOf, type Restriction } from '../filters.ts';
import { columnValues, lineTables, listLines } from '../lines.ts';
import { columnsOf, fromRow, type RecordValues } from '../rows.ts';
import { Statement } from '../statement.ts';

/** The records with one of these ids or keys, whole and locked in the order of ids; not those that a restriction hides. */
export async function lockPresent(
  tx: TenantTransaction,
  record: AnyRecord,
  { ids, keys }: { readonly ids: readonly string[]; readonly keys: readonly RecordValues[] },
  restriction: Restriction,
): Promise<RecordValues[]> {
  const all = [...new Set([...ids, ...(await idsByKey(tx, record, keys))])];
  if (all.length === 0) return [];
  const fields = listedFields(record);
  const id = snake(record.idField);
  const statement = new Statement(tx.tenantId, all);
  const conditions = [
    'tenant_id = $1',
    `${id} = any($2)`,
    ...conditionsOf(record, {}, statement, restriction),
  ];
  const sql = `
    select ${[id, 'version', ...columnsOf(record, fields)].join(', ')} from ${record.table}
    where ${conditions.join(' and ')} order by ${id} for no key update`;
  const rows = await tx.rows<RecordValues>(sql, statement.values);
  const records = rows.map((row) => fromRow(record, row, fields));
  if (lineTables(record).length === 0 || records.length === 0) return records;
  const lines = await listLines(
    tx,
    record,
    records.map((each) => each[record.idField] as string),
  );
  return records.map((each) => ({ ...each, ...lines.get(each[record.idField] as string) }));
}

async function idsByKey(
  tx: TenantTransaction,
  record: AnyRecord,
  keys: readonly RecordValues[],
): Promise<string[]> {
  if (keys.length === 0) return [];
  const stored = storedFields(record.grammar.fields).filter(({ name }) => record.key.includes(name));
  const columns = stored.flatMap((field) => field.columns);
  const same = columns.map(({ name }) => `${record.table}.${name} = given.${name}`);
  const sql = `
    select ${snake(record.idField)} as id
    from jsonb_to_recordset($2::jsonb) as given (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})
    join ${record.table} on ${record.table}.tenant_id = $1 and ${same.join(' and ')}`;
  const given = JSON.stringify(keys.map((key) => columnValues(stored, key)));
  const rows = await tx.rows<{ id: string }>(sql, [tx.tenantId, given], `${record.table} by key`);
  return rows.map((row) => row.id);
}
