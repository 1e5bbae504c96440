import type { AnyRecord, Fields } from '@marimo/contracts/records';
import { type StoredField, snake, storedFields } from './columns.ts';

export type RecordValues = Readonly<Record<string, unknown>>;

/** The columns of these fields, as they are selected. */
export function columnsOf(record: AnyRecord, names: readonly string[]): string[] {
  const wanted = storedFields(record.grammar.fields).filter(({ name }) => names.includes(name));
  const custom = names.includes('custom') ? ['custom'] : [];
  return [...wanted.flatMap(({ columns }) => columns.map(({ name }) => name)), ...custom];
}

/** A row as the record it holds. */
export function fromRow(record: AnyRecord, row: RecordValues, names: readonly string[]): RecordValues {
  const values: Record<string, unknown> = { [record.idField]: row[snake(record.idField)] };
  for (const field of wantedFields(record, names)) values[field.name] = field.fromRow(row);
  values['version'] = Number(row['version']);
  if (names.includes('custom')) values['custom'] = row['custom'];
  return values;
}

/** Looked up once for a list of names: a list has many rows. */
function wantedFields({ grammar }: AnyRecord, names: readonly string[]): readonly StoredField[] {
  const ofFields = remembered.get(grammar.fields) ?? new WeakMap<readonly string[], readonly StoredField[]>();
  remembered.set(grammar.fields, ofFields);
  const wanted =
    ofFields.get(names) ?? storedFields(grammar.fields).filter(({ name }) => names.includes(name));
  ofFields.set(names, wanted);
  return wanted;
}

const remembered = new WeakMap<Fields, WeakMap<readonly string[], readonly StoredField[]>>();
