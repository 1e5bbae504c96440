import { journalEntries } from '@marimo/contracts/accounting';
import type { Columns } from '@marimo/file-import';

/** The columns of a CSV file of entries, one line of an entry in a row. */
export const entryColumns = {
  entryId: 'id',
  journalCode: 'text',
  postingDate: 'day',
  description: 'text',
  accountCode: 'text',
  side: journalEntries.Side.options,
  amount: 'amount',
  currency: 'text',
  baseAmount: 'amount',
  lineDescription: 'text',
} as const satisfies Columns;
