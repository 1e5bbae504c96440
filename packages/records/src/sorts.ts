import { Day, Id, Instant, MalformedRequest } from '@marimo/contracts';
import type { AnyRecord } from '@marimo/contracts/records';
import { z } from 'zod';
import { type StoredField, snake, storedFields } from './columns.ts';
import type { Statement } from './statement.ts';

/** One column a list is sorted by. */
interface SortKey {
  readonly column: string;
  readonly type: string;
  readonly isDescending: boolean;
  readonly isNullable: boolean;
}

type KeyValue = string | number | null;

export interface Sort {
  /** As the query names it. */
  readonly name: string;
  /** The id is the last, unless the key of the record is among them: no two rows are alike. */
  readonly keys: readonly SortKey[];
}

const defaultSort = ({ grammar }: AnyRecord) => grammar.sorts[0] ?? '-createdAt';

/** Reads `-postingDate,number`; the contract has checked that it is declared. */
export function sortOf(record: AnyRecord, name: string = defaultSort(record)): Sort {
  const stored = new Map(storedFields(record.grammar.fields).map((field) => [field.name, field]));
  const keys = name.split(',').map((key): SortKey => {
    const isDescending = key.startsWith('-');
    const field = stored.get(isDescending ? key.slice(1) : key);
    if (field === undefined) throw new Error(`${record.fullName} is sorted by ${key}, which is no field`);
    return keyOf(field, isDescending);
  });
  const names = name.split(',').map((key) => key.replace('-', ''));
  const isUnique = record.key.length > 0 && record.key.every((field) => names.includes(field));
  if (isUnique && keys.every(({ isNullable }) => !isNullable)) return { name, keys };
  const isDescending = keys.at(-1)?.isDescending ?? false; // an index serves both directions only as a whole
  const id = { column: snake(record.idField), type: 'uuid', isDescending, isNullable: false };
  return { name, keys: [...keys, id] };
}

function keyOf({ sortColumn, isNullable }: StoredField, isDescending: boolean): SortKey {
  return { column: sortColumn.name, type: sortColumn.type, isDescending, isNullable };
}

/** As indexes have it: what is absent comes last, and first the other way round. */
export function orderBy({ keys }: Sort): string {
  return keys.map(({ column, isDescending }) => `${column}${isDescending ? ' desc' : ''}`).join(', ');
}

/** The same of rows that were read with `keyColumns`. */
export function orderByKeys({ keys }: Sort): string {
  return keys.map(({ isDescending }, place) => `sort_${place}${isDescending ? ' desc' : ''}`).join(', ');
}

/** What rows are sorted by, and the same as text for the cursor behind the last of them. */
export function keyColumns({ keys }: Sort): string {
  return keys
    .map(({ column }, place) => `${column} as sort_${place}, ${column}::text as key_${place}`)
    .join(', ');
}

export function cursorAfter({ name, keys }: Sort, row: Readonly<Record<string, unknown>>): string {
  const values = keys.map((_, place) => row[`key_${place}`]);
  return Buffer.from(JSON.stringify([name, ...values])).toString('base64url');
}

/**
 * The key in a cursor. Its parts go into SQL, so each is held against the type of its column.
 *
 * Errors: MalformedRequest, when it is no `next` of a list with this sort.
 */
export function readCursorOf({ name, keys }: Sort, after: string): KeyValue[] {
  const parts = keys.map(({ type, isNullable }) => (isNullable ? partOf(type).nullable() : partOf(type)));
  try {
    const given: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    const [, ...values] = z.tuple([z.literal(name), ...parts]).parse(given);
    return values as KeyValue[];
  } catch {
    const detail = 'must be the "next" of the page before, with the same sort';
    throw new MalformedRequest({ errors: [{ pointer: '?after', detail }] });
  }
}

const storableText = z
  .string()
  .max(2_000)
  .refine((text) => text.isWellFormed() && !text.includes('\0'));
const wholeText = z.string().regex(/^-?\d{1,18}$/);
const numericText = z.string().regex(/^-?\d{1,50}(\.\d{1,50})?$/);
/** As PostgreSQL writes it, and nothing that lies beyond or is taken for zero. */
const floatText = z
  .string()
  .regex(/^-?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,3})?$/)
  .refine((text) => Number.isFinite(Number(text)) && (Number(text) !== 0 || /^-?0$/.test(text)));
const instantText = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/)
  .refine((text) => z.iso.datetime({ offset: true }).safeParse(withMinutes(text)).success);
/** `2026-01-31 09:30:00+00` as RFC 3339 writes it. */
const withMinutes = (text: string) => text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');

function partOf(type: string): z.ZodType {
  switch (type) {
    case 'uuid':
      return Id;
    case 'bigint':
      return wholeText;
    case 'numeric':
      return numericText;
    case 'double precision':
      return floatText;
    case 'date':
      return Day;
    case 'timestamptz':
      return z.union([instantText, Instant]);
    case 'boolean':
      return z.enum(['true', 'false', 't', 'f']);
    default:
      return storableText;
  }
}

/**
 * The rows behind a key, as conditions that come one after the other: `code = $1 and id > $2`, then `code > $1`. Each is a
 * range of the index, where one condition with `or` would read all of it.
 */
export function rangesBehind({ keys }: Sort, values: readonly KeyValue[], statement: Statement): string[] {
  const ranges: string[] = [];
  for (let place = keys.length - 1; place >= 0; place -= 1) {
    const same = keys.slice(0, place).map((key, before) => equal(key, values[before] ?? null, statement));
    for (const behind of behindOf(keys[place] as SortKey, values[place] ?? null, statement)) {
      ranges.push([...same, behind].join(' and '));
    }
  }
  return ranges;
}

function equal({ column, type }: SortKey, value: KeyValue, statement: Statement): string {
  return value === null ? `${column} is null` : `${column} = ${statement.value(value, type)}`;
}

function behindOf(key: SortKey, value: KeyValue, statement: Statement): string[] {
  const { column, type, isDescending, isNullable } = key;
  if (value === null) return isDescending ? [`${column} is not null`] : [];
  const further = `${column} ${isDescending ? '<' : '>'} ${statement.value(value, type)}`;
  return isNullable && !isDescending ? [further, `${column} is null`] : [further];
}
