import type { AnyRecord, Fields } from '@marimo/contracts/records';
import type { Mirror } from '@marimo/mirrors';
import { lineTables, type StoredField, snake, sortOf, storedFields } from '@marimo/records';

type Sql = <Row>(text: string, values: readonly unknown[]) => Promise<Row[]>;

/** What a record's declaration says and its table does not have, in words; empty when they agree. */
export async function differencesFromTable(record: AnyRecord, schema: string, sql: Sql): Promise<string[]> {
  const standing = { name: 'version', type: 'integer', isNullable: false };
  const id = { name: snake(record.idField), type: 'uuid', isNullable: false };
  const custom = record.hasCustomFields ? [{ name: 'custom', type: 'jsonb', isNullable: false }] : [];
  const wanted = [id, standing, ...custom, ...columnsOf(storedFields(record.grammar.fields))];
  const lines = lineTables(record).map(({ table, stored }) => {
    const own = ['line_number', 'line_id'].map((name) => ({
      name,
      type: name === 'line_id' ? 'uuid' : 'integer',
      isNullable: false,
    }));
    return differingColumns(schema, table, [id, ...own, ...columnsOf(stored)], sql);
  });
  const all = await Promise.all([
    differingColumns(schema, record.table, wanted, sql),
    missingIndexes(schema, record, sql),
    ...lines,
  ]);
  return all.flat();
}

/** The same of a mirror and its table, which the service that keeps it has written by hand. */
export function differencesFromMirrorTable(mirror: Mirror, schema: string, sql: Sql): Promise<string[]> {
  const id = { name: snake(mirror.record.idField), type: 'uuid', isNullable: false };
  const version = { name: 'version', type: 'integer', isNullable: false };
  return differingColumns(schema, mirror.table, [id, version, ...columnsOf(mirror.stored)], sql);
}

interface Wanted {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
}

function columnsOf(stored: readonly StoredField[]): Wanted[] {
  return stored.flatMap(({ columns, isNullable }) => columns.map((column) => ({ ...column, isNullable })));
}

async function differingColumns(
  schema: string,
  table: string,
  wanted: readonly Wanted[],
  sql: Sql,
): Promise<string[]> {
  const found = await sql<Wanted>(
    `select attname as name, format_type(atttypid, atttypmod) as type, not attnotnull as "isNullable"
     from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [`${schema}.${table}`],
  );
  if (found.length === 0) return [`${table} does not exist`];
  return wanted.flatMap(({ name, type, isNullable }) => {
    const column = found.find((each) => each.name === name);
    if (column === undefined) return [`${table}.${name} is missing`];
    const has = column.type.replace('timestamp with time zone', 'timestamptz');
    if (has !== type) return [`${table}.${name} is ${has}, not ${type}`];
    if (column.isNullable !== isNullable)
      return [`${table}.${name} ${isNullable ? 'must take' : 'takes'} null`];
    return [];
  });
}

interface Index {
  readonly isUnique: boolean;
  readonly keys: readonly string[];
}

/** One for each sort, and a unique one for the key and for each field that is unique by itself. */
async function missingIndexes(schema: string, record: AnyRecord, sql: Sql): Promise<string[]> {
  const found = await sql<Index>(
    `select i.indisunique as "isUnique",
            array(select pg_get_indexdef(i.indexrelid, place, true) || case when i.indoption[place - 1] & 1 = 1 then ' desc' else '' end
                  from generate_series(1, i.indnkeyatts) as place) as keys
     from pg_index i where i.indrelid = to_regclass($1) and i.indpred is null`,
    [`${schema}.${record.table}`],
  );
  const has = (keys: readonly string[], isUnique: boolean) =>
    found.some(
      (index) => (!isUnique || index.isUnique) && String(index.keys) === String(['tenant_id', ...keys]),
    );
  const sorts = record.grammar.sorts.flatMap((sort) => {
    const keys = sortOf(record, sort).keys.map(
      ({ column, isDescending }) => column + (isDescending ? ' desc' : ''),
    );
    return has(keys, false) ? [] : [`${record.table} has no index for the sort ${sort}: ${keys.join(', ')}`];
  });
  const stored = new Map(storedFields(record.fields as Fields).map((field) => [field.name, field]));
  const single = Object.entries(record.fields as Fields).flatMap(([name, { unique }]) =>
    unique ? [[name]] : [],
  );
  const unique = [...(record.key.length > 0 ? [record.key] : []), ...single].flatMap((names) => {
    const keys = names.flatMap((name) => stored.get(name)?.columns.map((column) => column.name) ?? []);
    return has(keys, true) ? [] : [`${record.table} may hold ${names.join(', ')} twice`];
  });
  const most = record.grammar.sorts.length > 4 ? [`${record.fullName} has more than four sorts`] : [];
  return [...sorts, ...unique, ...most];
}
