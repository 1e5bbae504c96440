import { checkRow, type UnderstoodFile } from '@marimo/contracts';
import { Refusal } from '@marimo/problems';
import type { z } from 'zod';
import { checkCells, refusedCells } from './check-cells.ts';
import type { Columns, FileRow } from './columns.ts';
import { readJsonLines, readJsonList } from './json-rows.ts';
import { openTable } from './table.ts';

/** One record of a file, or why it is none and what the file says in its place. */
export type FileRecord<T> = { readonly row: number } & (
  | { readonly record: T }
  | { readonly value: unknown; readonly refusal: Refusal }
);

export interface RecordFile<T> {
  readonly records: AsyncIterable<FileRecord<T>>;
  /** How the columns were read; undefined for a file without columns. */
  understood(): UnderstoodFile | undefined;
  close(): Promise<void>;
}

/** How records of one kind are written in a file: each is a row of CSV, a line of NDJSON or an item of a JSON list. */
export interface RecordFormat<S extends z.ZodType, C extends Columns> {
  readonly schema: S;
  /** Columns have the names of the schema's fields. */
  readonly columns: C;
  /** Columns that a CSV file must have and in which no row may be blank. */
  readonly required: readonly (keyof C & string)[];
}

/** Opens a file of records, one in a row; `close` it in the end. */
export async function openRecords<S extends z.ZodType, C extends Columns>(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  { schema, columns, required }: RecordFormat<S, C>,
): Promise<RecordFile<z.output<S>>> {
  if (contentType !== 'text/csv') {
    return {
      records: readJsonRecords(stream, contentType, schema),
      understood: () => undefined,
      close: async () => {},
    };
  }
  const table = await openTable(stream, columns, required);
  return { ...table, records: recordsOf(table.rows(), schema, required) };
}

/** The records of a JSON list or of NDJSON. */
export async function* readJsonRecords<S extends z.ZodType>(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  schema: S,
): AsyncGenerator<FileRecord<z.output<S>>, void, undefined> {
  const rows = contentType === 'application/json' ? readJsonList(stream) : readJsonLines(stream);
  for await (const { row, value, refusal } of rows) {
    yield recordOf(row, value, () => {
      if (refusal !== undefined) throw refusal;
      return checkRow(schema, value);
    });
  }
}

async function* recordsOf<S extends z.ZodType, C extends Columns>(
  rows: AsyncIterable<FileRow<C>>,
  schema: S,
  required: readonly (keyof C & string)[],
): AsyncGenerator<FileRecord<z.output<S>>, void, undefined> {
  for await (const { row, cells, errors, unreadable } of rows) {
    yield recordOf(row, cells, () => {
      const named = new Set(errors.map(({ column }) => column));
      const blank = required.filter((column) => cells[column] === undefined && !named.has(column));
      const empty = blank.map((column) => ({ row, column, detail: 'it is empty' }));
      const wrong = unreadable === undefined ? [...errors, ...empty] : errors;
      if (wrong.length > 0) throw refusedCells(wrong);
      return checkCells(schema, cells, ([column = null]) => ({ row, column }));
    });
  }
}

function recordOf<T>(row: number, value: unknown, read: () => T): FileRecord<T> {
  try {
    return { row, record: read() };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { row, value, refusal: error };
  }
}
