import type { UnderstoodFile } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import { openTable, readJsonRecords } from '@marimo/file-import';
import { entryColumns } from './columns.ts';
import { entriesOf, neededColumns } from './csv.ts';
import type { FileEntry } from './file-entry.ts';

export interface EntryFile {
  readonly entries: AsyncIterable<FileEntry>;
  /** How the columns were understood, of a file that has some. */
  understood(): UnderstoodFile | undefined;
  close(): Promise<void>;
}

export async function openEntryFile(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  baseCurrency: string,
): Promise<EntryFile> {
  if (contentType !== 'text/csv') {
    return {
      entries: entriesOfJson(stream, contentType),
      understood: () => undefined,
      close: async () => {},
    };
  }
  const table = await openTable(stream, entryColumns, neededColumns);
  return { ...table, entries: entriesOf(table, baseCurrency) };
}

async function* entriesOfJson(
  stream: AsyncIterable<Buffer>,
  contentType: string,
): AsyncGenerator<FileEntry, void, undefined> {
  for await (const each of readJsonRecords(stream, contentType, journalEntries.PostJournalEntry)) {
    if ('record' in each) yield { row: each.row, entry: each.record };
    else {
      const { entryId } = (each.value ?? {}) as { entryId?: unknown };
      yield { row: each.row, entryId, refusal: each.refusal };
    }
  }
}
