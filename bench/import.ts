import { journalEntries } from '@marimo/contracts/accounting';
import { asAdministrator } from '@marimo/postgres';
import { startAccountingServer } from './ledger/accounting-server.ts';
import { accountCodes, csvOf, type EntryInput, invoices, ndjsonOf, secondsOf } from './ledger/entries.ts';
import { insertPlainly, makePlainTables } from './ledger/plain-sql.ts';
import type { Result } from './result.ts';

const rowCount = 10_000;

interface ImportReply {
  readonly accepted: number;
  readonly repeated: number;
}

/** A file of 10,000 rows through the API, in both formats, beside the same rows by plain SQL in one statement each. */
export async function run(): Promise<Result> {
  const accounting = await startAccountingServer();
  try {
    await accounting.addAccounts(accountCodes);
    await makePlainTables(accounting.server);
    const rows: Result['rows'][number][] = [];
    const measure = async (
      file: string,
      entries: readonly EntryInput[],
      search: string,
      found: keyof ImportReply,
    ) => {
      const isCsv = file.startsWith('CSV');
      const body = isCsv ? csvOf(entries) : ndjsonOf(entries);
      const type = isCsv ? 'text/csv' : 'application/x-ndjson';
      let reply: ImportReply | undefined;
      const seconds = await secondsOf(async () => {
        reply = await accounting.ask<ImportReply>(journalEntries.importFile, search, body, type);
      });
      if (reply?.[found] !== entries.length)
        throw new Error(`${file}: ${JSON.stringify(reply).slice(0, 300)}`);
      const plain = found === 'repeated' ? undefined : await plainSeconds(entries);
      rows.push({
        file,
        seconds: seconds.toFixed(2),
        'rows/s': Math.round(rowCount / seconds),
        'plain SQL, seconds': plain?.toFixed(2) ?? '',
        'of plain SQL': plain === undefined ? '' : (plain / seconds).toFixed(2),
      });
    };
    const plainSeconds = (entries: readonly EntryInput[]) =>
      asAdministrator(accounting.server, (client) => secondsOf(() => insertPlainly(client, entries)));

    const json = invoices(rowCount);
    await measure('warming up', invoices(500), '', 'accepted');
    rows.pop();
    await measure('NDJSON, 10,000 entries of 3 lines', json, '', 'accepted');
    await measure('the same file again', json, '', 'repeated');
    await measure('NDJSON, all or nothing', invoices(rowCount), '?mode=all-or-nothing', 'accepted');
    await measure('CSV, 10,000 rows of 5,000 entries', invoices(rowCount / 2, 2), '', 'accepted');
    return {
      title: 'Importing a file of 10,000 rows, with balances kept, numbers and events, each commit on disk',
      rows,
      notes: [
        'Plain SQL is the same rows into tables with primary keys: no rules, numbers, balances, events or HTTP.',
      ],
    };
  } finally {
    await accounting.stop();
  }
}
