import type { AnyRecord, ParsedQuery } from '@marimo/contracts/records';
import type { CellValue, ExportRow } from '@marimo/file-export';
import type { TenantTransaction } from '@marimo/postgres';
import type { CustomColumn } from '../custom-fields.ts';
import type { Restriction } from '../filters.ts';
import { lineTables, listLines } from '../lines.ts';
import { listRecords } from '../list.ts';
import type { RecordValues } from '../rows.ts';
import { cellOf, type FileColumn, fileColumns, type Language } from './file-columns.ts';
import { keysOf, type Referred } from './referred.ts';

const pageSize = 2_000;
/** People are not known by their ids: these columns are there for whoever asks. */
const onlyIfAsked = ['createdBy', 'changedBy'];

/** The columns of an export: those chosen, or what people read. */
export function exportColumns(
  record: AnyRecord,
  custom: readonly CustomColumn[],
  chosen: readonly string[] | undefined,
  hidden: readonly string[] | undefined,
): FileColumn[] {
  const all = fileColumns(record, custom, hidden);
  if (chosen === undefined) return all.filter(({ field }) => !onlyIfAsked.includes(field));
  const id = all.filter(({ name }) => name === record.idField);
  return [
    ...id,
    ...chosen.flatMap((name) => all.filter(({ field, lines }) => lines === undefined && field === name)),
  ];
}

/** All records of a list in pages, with their lines unless fields are chosen; one snapshot where the transaction is one. */
export async function* recordPages(
  tx: TenantTransaction,
  record: AnyRecord,
  query: ParsedQuery,
  restriction: Restriction,
): AsyncGenerator<RecordValues[], void, undefined> {
  const readsLines = query['fields'] === undefined && lineTables(record).length > 0;
  for (let after: string | null | undefined; after !== null; ) {
    const page = await listRecords(
      tx,
      record,
      { ...query, limit: pageSize, after: after ?? undefined },
      restriction,
    );
    after = page.next;
    if (!readsLines) {
      yield page.items;
      continue;
    }
    const lines = await listLines(
      tx,
      record,
      page.items.map((each) => each[record.idField] as string),
    );
    yield page.items.map((each) => ({ ...each, ...lines.get(each[record.idField] as string) }));
  }
}

/** Records as rows: one each, or one for each line with the record's own cells repeated. */
export async function* rowPages(
  tx: TenantTransaction,
  pages: AsyncIterable<readonly RecordValues[]>,
  columns: readonly FileColumn[],
  referred: Referred,
  language: Language,
): AsyncGenerator<ExportRow[], void, undefined> {
  const lineFields = [...new Set(columns.flatMap(({ lines }) => lines ?? []))];
  for await (const records of pages) {
    const shown = await shownReferences(tx, records, columns, referred);
    yield lineFields.length === 0
      ? records.map((values) => columns.map((column) => cellOf(column, values, language, shown)))
      : records.flatMap((values) => rowsOf(values, columns, lineFields, language, shown));
  }
}

function rowsOf(
  values: RecordValues,
  columns: readonly FileColumn[],
  lineFields: readonly string[],
  language: Language,
  shown: ReadonlyMap<string, string>,
): CellValue[][] {
  const linesOf = (field: string) => (values[field] as RecordValues[] | undefined) ?? [];
  const count = Math.max(1, ...lineFields.map((field) => linesOf(field).length));
  return Array.from({ length: count }, (_, place) =>
    columns.map((column) => {
      const from = column.lines === undefined ? values : linesOf(column.lines)[place];
      return from === undefined ? null : cellOf(column, from, language, shown);
    }),
  );
}

async function shownReferences(
  tx: TenantTransaction,
  records: readonly RecordValues[],
  columns: readonly FileColumn[],
  referred: Referred,
): Promise<ReadonlyMap<string, string>> {
  const shown = new Map<string, string>();
  for (const column of columns) {
    const to = referred.get(column.declared.to ?? '');
    if (to === undefined) continue;
    const values =
      column.lines === undefined
        ? records
        : records.flatMap((each) => each[column.lines ?? ''] as RecordValues[]);
    const ids = new Set(values.flatMap((each) => (each[column.field] as string | null) ?? []));
    if (ids.size > 0) for (const [id, key] of await keysOf(tx, to, [...ids])) shown.set(id, key);
  }
  return shown;
}

/** A line of NDJSON for each record, as the API writes it. */
export async function* ndjsonOf(
  pages: AsyncIterable<readonly RecordValues[]>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const records of pages) {
    yield Buffer.from(records.map((each) => `${JSON.stringify(each)}\n`).join(''));
  }
}
