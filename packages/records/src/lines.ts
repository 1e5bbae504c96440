import { newId } from '@marimo/contracts';
import type { AnyRecord, Fields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { type StoredField, snake, storedFields } from './columns.ts';
import type { RecordValues } from './rows.ts';

/** The lines of a record in a table of their own: `<table>_<field>`, keyed by the record and the place of the line. */
interface LineTable {
  readonly field: string;
  readonly table: string;
  readonly stored: readonly StoredField[];
}

type Line = RecordValues & { readonly lineId: string };

export function lineTables(record: AnyRecord): LineTable[] {
  return Object.entries(record.fields as Fields).flatMap(([field, { kind, fields }]) =>
    kind === 'lines' && fields !== undefined
      ? [{ field, table: `${record.table}_${snake(field)}`, stored: storedFields(fields) }]
      : [],
  );
}

/** Gives each line the id that it lacks. */
export function withLineIds(record: AnyRecord, values: RecordValues): RecordValues {
  const named = lineTables(record).flatMap(({ field }) => {
    const lines = values[field] as RecordValues[] | undefined;
    return lines === undefined
      ? []
      : [[field, lines.map((line) => ({ ...line, lineId: line['lineId'] ?? newId() }))]];
  });
  return { ...values, ...Object.fromEntries(named) };
}

export async function insertLines(
  tx: TenantTransaction,
  record: AnyRecord,
  owners: readonly { readonly id: string; readonly values: RecordValues }[],
): Promise<void> {
  for (const { field, table, stored } of lineTables(record)) {
    const columns = stored.flatMap((each) => each.columns);
    const given = owners.flatMap(({ id, values }) =>
      ((values[field] as Line[] | undefined) ?? []).map((line, place) => ({
        owner_id: id,
        line_number: place + 1,
        line_id: line.lineId,
        ...columnValues(stored, line),
      })),
    );
    if (given.length === 0) continue;
    const names = columns.map(({ name }) => name);
    const types = columns.map(({ name, type }) => `${name} ${type}`);
    const sql = `
      insert into ${table} (${['tenant_id', snake(record.idField), 'line_number', 'line_id', ...names].join(', ')})
      select $1, ${['owner_id', 'line_number', 'line_id', ...names].map((name) => `given.${name}`).join(', ')}
      from jsonb_to_recordset($2::jsonb) as given (${['owner_id uuid', 'line_number int', 'line_id uuid', ...types].join(', ')})`;
    await tx.run(sql, [tx.tenantId, JSON.stringify(given)]);
  }
}

export async function deleteLines(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  fields: readonly string[],
): Promise<void> {
  for (const { field, table } of lineTables(record)) {
    if (!fields.includes(field)) continue;
    await tx.run(`delete from ${table} where tenant_id = $1 and ${snake(record.idField)} = $2`, [
      tx.tenantId,
      id,
    ]);
  }
}

/** The lines of these records, by id. */
export async function listLines(
  tx: TenantTransaction,
  record: AnyRecord,
  ids: readonly string[],
): Promise<Map<string, RecordValues>> {
  const found = new Map<string, Record<string, unknown[]>>(
    ids.map((id) => [id, Object.fromEntries(lineTables(record).map(({ field }) => [field, []]))]),
  );
  const owner = snake(record.idField);
  for (const { field, table, stored } of lineTables(record)) {
    const columns = stored.flatMap((each) => each.columns.map(({ name }) => name));
    const sql = `
      select ${[owner, 'line_id', ...columns].join(', ')} from ${table}
      where tenant_id = $1 and ${owner} = any($2) order by ${owner}, line_number`;
    for (const row of await tx.rows<RecordValues>(sql, [tx.tenantId, ids])) {
      const values = stored.map((each) => [each.name, each.fromRow(row)]);
      found
        .get(row[owner] as string)
        ?.[field]?.push({ lineId: row['line_id'], ...Object.fromEntries(values) });
    }
  }
  return found;
}

/** As JSON that `jsonb_to_recordset` reads. */
export function columnValues(stored: readonly StoredField[], values: RecordValues): Record<string, unknown> {
  return Object.fromEntries(
    stored.flatMap((field) => {
      const given = field.toColumns(values[field.name] ?? null);
      return field.columns.map(({ name }, place) => [name, given[place] ?? null]);
    }),
  );
}
