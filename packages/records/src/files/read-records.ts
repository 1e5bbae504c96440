import type { UnderstoodFile } from '@marimo/contracts';
import type { AnyRecord } from '@marimo/contracts/records';
import {
  type Columns,
  malformed,
  openTable,
  readJsonLines,
  readJsonList,
  type SpooledFile,
  spool,
  type Table,
} from '@marimo/file-import';
import type { RecordValues } from '../rows.ts';
import { type FileColumn, fileColumns } from './file-columns.ts';
import type { FileReading, GivenRecord } from './given-record.ts';
import { cellColumns, headerReader } from './headers.ts';
import { RecordRows } from './record-rows.ts';

export interface RecordFile {
  /** From the start, as often as needed. */
  records(): AsyncGenerator<GivenRecord, void, undefined>;
  /** How many rows or lines there are, counted no further than that. */
  countTo(most: number): Promise<number>;
  understood(): UnderstoodFile | undefined;
  /** As it came. */
  bytes(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Opens a file of records that has arrived, in whatever format; `close` it in the end. Errors: MalformedRequest. */
export async function openRecordFile(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  reading: FileReading,
): Promise<RecordFile> {
  const isJson = contentType === 'application/json' || contentType === 'application/x-ndjson';
  if (isJson) return jsonFile(await spool(stream), contentType === 'application/json', reading);
  const { record, custom, hidden } = reading;
  const known = fileColumns(record, custom, hidden);
  const columns = known.filter(({ use }) => use !== 'passed over');
  const table = await openTable(stream, cellColumns(columns), [], headerReader(known, reading.mapping));
  return tableFile(table, columns, reading);
}

function tableFile(table: Table<Columns>, columns: readonly FileColumn[], reading: FileReading): RecordFile {
  const present = columns.filter(({ name }) => table.headers.has(name));
  return {
    records: () => new RecordRows(table, present, reading).records(),
    countTo: (most) => count(table.rows(), most),
    understood: () => table.understood(),
    bytes: () => table.bytes(),
    close: () => table.close(),
  };
}

async function count(rows: AsyncIterable<unknown>, most: number): Promise<number> {
  let counted = 0;
  for await (const _ of rows) {
    counted += 1;
    if (counted >= most) break;
  }
  return counted;
}

function jsonFile(file: SpooledFile, isList: boolean, { record, hidden }: FileReading): RecordFile {
  const rows = () => (isList ? readJsonList(file.bytes()) : readJsonLines(file.bytes()));
  const sent = sentParts(record, hidden);
  return {
    async *records() {
      for await (const { row, value, refusal } of rows()) {
        const given = isObject(value) ? sent(value) : {};
        const wrong = refusal ?? (isObject(value) ? undefined : malformed('it must be a JSON object'));
        yield { line: row, given, refusal: wrong, placeOf: undefined };
      }
    },
    countTo: (most) => count(rows(), most),
    understood: () => undefined,
    bytes: () => file.bytes(),
    close: () => file.close(),
  };
}

/** Leaves out what an export writes beside the fields that can be sent, in lines too. */
function sentParts(record: AnyRecord, hidden: readonly string[]): (value: RecordValues) => RecordValues {
  const kept = fileColumns(record, []).filter(({ use }) => use === 'passed over');
  const keptIn = (of: string | undefined) => kept.flatMap(({ field, lines }) => (lines === of ? field : []));
  const left = [...keptIn(undefined), 'version', ...hidden];
  const leftInLines = new Map(kept.map(({ lines = '' }) => [lines, keptIn(lines)]));
  return (value) =>
    Object.fromEntries(
      Object.entries(without(value, left)).map(([name, each]) => {
        const inLines = leftInLines.get(name);
        if (inLines === undefined || !Array.isArray(each)) return [name, each];
        return [name, each.map((line: unknown) => (isObject(line) ? without(line, inLines) : line))];
      }),
    );
}

function without(value: RecordValues, names: readonly string[]): RecordValues {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function isObject(value: unknown): value is RecordValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
