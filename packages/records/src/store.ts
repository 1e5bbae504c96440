import { type AnyRecord, type Fields, listedFields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { type StoredField, snake, storedFields } from './columns.ts';
import { conditionsOf, type Restriction } from './filters.ts';
import { columnValues } from './lines.ts';
import { columnsOf, fromRow, type RecordValues } from './rows.ts';
import { Statement } from './statement.ts';

export async function getRow(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  restriction?: Restriction,
): Promise<RecordValues | undefined> {
  return readRow(tx, record, id, restriction, '');
}

export async function lockRow(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  restriction?: Restriction,
): Promise<RecordValues | undefined> {
  return readRow(tx, record, id, restriction, ' for no key update');
}

async function readRow(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  restriction: Restriction | undefined,
  lock: string,
): Promise<RecordValues | undefined> {
  const all = listedFields(record);
  const columns = [snake(record.idField), 'version', ...columnsOf(record, all)].join(', ');
  const statement = new Statement(tx.tenantId, id);
  const own = ['tenant_id = $1', `${snake(record.idField)} = $2`];
  const conditions = [...own, ...conditionsOf(record, {}, statement, restriction)].join(' and ');
  const sql = `select ${columns} from ${record.table} where ${conditions}${lock}`;
  const row = await tx.first<RecordValues>(sql, statement.values);
  return row === undefined ? undefined : fromRow(record, row, all);
}

/** The ids of those that were inserted: not of those whose id or unique value is there already. */
export async function insertRows(
  tx: TenantTransaction,
  record: AnyRecord,
  records: readonly RecordValues[],
): Promise<string[]> {
  if (records.length === 0) return [];
  const stored = storedFields(record.grammar.fields);
  const id = snake(record.idField);
  const columns = [
    { name: id, type: 'uuid' },
    ...stored.flatMap((each) => each.columns),
    ...customColumn(record),
  ];
  const names = columns.map(({ name }) => name).join(', ');
  const given = records.map((values) => ({
    [id]: values[record.idField],
    ...columnValues(stored, values),
    custom: values['custom'],
  }));
  const sql = `
    insert into ${record.table} (tenant_id, version, ${names})
    select $1, 1, ${names}
    from jsonb_to_recordset($2::jsonb) as given (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})
    on conflict do nothing
    returning ${id} as id`;
  const inserted = await tx.rows<{ id: string }>(
    sql,
    [tx.tenantId, JSON.stringify(given)],
    `${record.table} insert`,
  );
  return inserted.map((row) => row.id);
}

const customColumn = ({ hasCustomFields }: AnyRecord) =>
  hasCustomFields ? [{ name: 'custom', type: 'jsonb' }] : [];

/** Writes the changed columns and the version. */
export async function updateRow(
  tx: TenantTransaction,
  record: AnyRecord,
  next: RecordValues,
  changed: readonly string[],
): Promise<void> {
  const stored = storedFields(record.grammar.fields).filter(({ name }) => changed.includes(name));
  const columns = [
    { name: 'version', type: 'int' },
    ...stored.flatMap((each) => each.columns),
    ...(changed.includes('custom') ? customColumn(record) : []),
  ];
  const given = { ...columnValues(stored, next), version: next['version'], custom: next['custom'] };
  const sql = `
    update ${record.table} set ${columns.map(({ name }) => `${name} = given.${name}`).join(', ')}
    from jsonb_to_record($3::jsonb) as given (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})
    where ${record.table}.tenant_id = $1 and ${record.table}.${snake(record.idField)} = $2`;
  await tx.run(sql, [tx.tenantId, next[record.idField], JSON.stringify(given)]);
}

/** What makes a record unique: its key, and each field that is unique by itself. */
function uniqueSets({ key, fields }: AnyRecord): string[][] {
  const single = Object.entries(fields as Fields).flatMap(([name, { unique }]) => (unique ? [[name]] : []));
  return [...(key.length > 0 ? [[...key]] : []), ...single];
}

/** Which unique value of these another record has, and which one if it can be told. */
export async function findTaken(
  tx: TenantTransaction,
  record: AnyRecord,
  values: RecordValues,
): Promise<{ fields: string[]; id: string | null } | undefined> {
  const stored = new Map(storedFields(record.fields).map((field) => [field.name, field]));
  const id = snake(record.idField);
  for (const fields of uniqueSets(record)) {
    const columns = fields.map((name) => stored.get(name) as StoredField);
    if (columns.some(({ name }) => values[name] === null || values[name] === undefined)) continue;
    const given = columns.flatMap((field) => field.toColumns(values[field.name]));
    const same = columns
      .flatMap((field) => field.columns)
      .map(({ name, type }, place) => `${name} = $${place + 3}::${type}`);
    const found = await tx.first<{ id: string }>(
      `select ${id} as id from ${record.table} where tenant_id = $1 and ${id} <> $2 and ${same.join(' and ')}`,
      [tx.tenantId, values[record.idField], ...given],
    );
    if (found !== undefined) return { fields, id: found.id };
  }
  return undefined;
}
