import { journalEntries, reports } from '@marimo/contracts/accounting';
import { accountCodes, csvOf, invoices, ndjsonOf } from './ledger/entries.ts';
import { founderOf, memoryOf, startPlatformAtWork } from './platform/people.ts';
import type { Result } from './result.ts';

const rows = 10_000;

/** What one process with everything in it holds after the loads of a day. The database's own processes are not counted. */
export async function run(): Promise<Result> {
  const platform = await startPlatformAtWork(['CALLER', 'USER', 'ADDRESS']);
  try {
    const { ask, pid } = platform;
    const figures: Result['rows'][number][] = [];
    const note = (after: string) => {
      const { now, most } = memoryOf(pid);
      figures.push({ after, 'MB now': now, 'MB at most so far': most });
    };
    note('the start');
    const { session } = await founderOf(ask, 'memory', accountCodes);
    const token = session.accessToken;
    const load = (search: string, body: string, contentType: string) =>
      ask(journalEntries.importFile, { token, search, body, contentType });
    for (let turn = 1; turn <= 3; turn += 1) {
      await load('', ndjsonOf(invoices(rows)), 'application/x-ndjson');
      note(`import ${turn} of ${rows} entries of 3 lines, NDJSON`);
      await load('', csvOf(invoices(rows / 2, 2)), 'text/csv');
      note(`import ${turn} of ${rows} rows, CSV`);
      await load('?mode=all-or-nothing', ndjsonOf(invoices(rows)), 'application/x-ndjson');
      note(`import ${turn} of ${rows} entries, all or nothing`);
      for (let batch = 0; batch < 10; batch += 1)
        await ask(journalEntries.postBatch, { token, body: { entries: invoices(500) } });
      note(`10 batches of 500 entries, turn ${turn}`);
    }
    await ask(reports.getTrialBalance, { token, search: '?asOf=2026-12-31' });
    note('a trial balance');
    return {
      title: 'Memory of one process with all services and workers',
      rows: figures,
      notes: ['Wanted: less than 500 MB.'],
    };
  } finally {
    await platform.stop();
  }
}
