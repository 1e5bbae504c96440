import { reports } from '@marimo/contracts/accounting';
import { Money, mostMinor } from '@marimo/measures';
import type { StatementRow, TrialBalanceRow } from './store.ts';

/** Puts the kept balances in words: opening + debit - credit = balance, in each row and in the totals. */
export function trialBalanceOf(
  rows: readonly TrialBalanceRow[],
  { asOf, from, baseCurrency }: { asOf: string; from?: string | undefined; baseCurrency: string },
): reports.TrialBalance {
  const money = (minor: bigint) => sumOf(minor, baseCurrency);
  const amounts = ({ opening, debit, credit }: Pick<TrialBalanceRow, 'opening' | 'debit' | 'credit'>) => ({
    opening: money(opening),
    debit: money(debit),
    credit: money(credit),
    balance: money(opening + debit - credit),
  });
  const sum = (of: (row: TrialBalanceRow) => bigint) => rows.reduce((total, row) => total + of(row), 0n);
  return {
    from: from ?? null,
    asOf,
    rows: rows.map(({ accountCode, accountName, type, ...row }) => ({
      accountCode,
      accountName,
      type,
      ...amounts(row),
    })),
    totals: amounts({
      opening: sum(({ opening }) => opening),
      debit: sum(({ debit }) => debit),
      credit: sum(({ credit }) => credit),
    }),
  };
}

/** Errors: SumTooLarge. */
export function sumOf(minor: bigint, currency: string): Money {
  if (minor > mostMinor || minor < -mostMinor) throw new reports.SumTooLarge({});
  return Money.ofMinor(minor, currency);
}

/** Adds to each line the balance after it. */
export function withBalances(
  rows: readonly StatementRow[],
  before: bigint,
  baseCurrency: string,
): reports.StatementLine[] {
  let balance = before;
  return rows.map((row) => {
    const { postingDate, entryId, number, accountCode, lineNumber, description, currency } = row;
    balance += row.baseDebit - row.baseCredit;
    return {
      postingDate,
      entryId,
      number,
      accountCode,
      lineNumber,
      description,
      side: row.debit > 0n ? 'debit' : 'credit',
      amount: Money.ofMinor(row.debit + row.credit, currency),
      baseAmount: Money.ofMinor(row.baseDebit + row.baseCredit, baseCurrency),
      balance: sumOf(balance, baseCurrency),
    };
  });
}
