import { journalEntries } from '@marimo/contracts/accounting';
import { Refusal } from '@marimo/problems';
import { checkRow } from '@marimo/service-kit';
import { type Row, readCsvRows, readJsonRows } from '../rows/index.ts';
import { csvColumns, entriesOfCsv } from './csv.ts';

/** An entry of a file, or why it is none. */
export type FileEntry = { readonly line: number } & (
  | { readonly entry: journalEntries.PostJournalEntry }
  | { readonly entryId: string | null; readonly refusal: Refusal }
);

/** The entries of a file as it arrives. */
export async function* readEntries(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  baseCurrency: string,
): AsyncGenerator<FileEntry, void, undefined> {
  const rows =
    contentType === 'text/csv'
      ? entriesOfCsv(readCsvRows(stream, csvColumns), baseCurrency)
      : readJsonRows(stream);
  for await (const row of rows) yield fileEntryOf(row);
}

function fileEntryOf({ line, value, refusal }: Row): FileEntry {
  try {
    if (refusal !== undefined) throw refusal;
    return { line, entry: checkRow(journalEntries.PostJournalEntry, value) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { entryId } = (value ?? {}) as { entryId?: unknown };
    return { line, entryId: typeof entryId === 'string' ? entryId.slice(0, 100) : null, refusal: error };
  }
}
