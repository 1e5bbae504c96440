import type { AnyRecord } from '@marimo/contracts/records';
import { snake, storedFields } from './columns.ts';

export type RecordValues = Readonly<Record<string, unknown>>;

/** The columns of these fields, as they are selected. */
export function columnsOf(record: AnyRecord, names: readonly string[]): string[] {
  const wanted = storedFields(record.grammar.fields).filter(({ name }) => names.includes(name));
  const custom = names.includes('custom') ? ['custom'] : [];
  return [...wanted.flatMap(({ columns }) => columns.map(({ name }) => name)), ...custom];
}

/** A row as the record it holds. */
export function fromRow(record: AnyRecord, row: RecordValues, names: readonly string[]): RecordValues {
  const wanted = storedFields(record.grammar.fields).filter(({ name }) => names.includes(name));
  return {
    [record.idField]: row[snake(record.idField)],
    ...Object.fromEntries(wanted.map((field) => [field.name, field.fromRow(row)])),
    version: Number(row['version']),
    ...(names.includes('custom') && { custom: row['custom'] }),
  };
}
