import type { UnderstoodFile } from '@marimo/contracts';
import { accounts } from '@marimo/contracts/accounting';
import { type Columns, type ImportReport, openRecords, startReport } from '@marimo/file-import';

export interface ChartFile {
  readonly wanted: readonly { readonly row: number; readonly account: accounts.NewAccount }[];
  /** Holds the rows that could not be read. */
  readonly report: ImportReport;
  readonly understood: UnderstoodFile | undefined;
}

const columns = {
  code: 'text',
  name: 'text',
  type: accounts.AccountType.options,
  parentCode: 'text',
  isGroup: 'flag',
} as const satisfies Columns;

const format = { schema: accounts.record.draft, columns, required: ['code', 'name', 'type'] as const };

/** A whole chart: children may come before their parents, so nothing can be decided before its end. */
export async function readChart(stream: AsyncIterable<Buffer>, contentType: string): Promise<ChartFile> {
  const report = startReport();
  const wanted: { row: number; account: accounts.NewAccount }[] = [];
  const file = await openRecords(stream, contentType, format);
  try {
    for await (const each of file.records) {
      if ('record' in each) wanted.push({ row: each.row, account: each.record });
      else report.refuse(each.row, (each.value as { code?: unknown } | undefined)?.code, each.refusal);
    }
    return { wanted, report, understood: file.understood() };
  } finally {
    await file.close();
  }
}
