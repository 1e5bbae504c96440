import type { UnderstoodFile } from '@marimo/contracts';
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
  // What an export writes beside the fields themselves.
  const left = [
    ...fileColumns(record, []).flatMap(({ name, use }) => (use === 'passed over' ? [name] : [])),
    'version',
    ...hidden,
  ];
  return {
    async *records() {
      for await (const { row, value, refusal } of rows()) {
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        const given = isObject
          ? Object.fromEntries(Object.entries(value).filter(([name]) => !left.includes(name)))
          : {};
        const wrong = refusal ?? (isObject ? undefined : malformed('it must be a JSON object'));
        yield { line: row, given, refusal: wrong, placeOf: undefined };
      }
    },
    countTo: (most) => count(rows(), most),
    understood: () => undefined,
    bytes: () => file.bytes(),
    close: () => file.close(),
  };
}
