import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { PageQuery } from '../list.ts';
import { Day, MoneyOnWire } from '../measures.ts';
import { Absent } from '../platform/refusals.ts';
import { AccountType } from './accounts.ts';
import { Side } from './journal-entries.ts';
import { readReports } from './permissions.ts';
import { AccountCode } from './texts.ts';

/** Base currency; balances are positive for debit, negative for credit. */
const Amounts = {
  /** The balance before `from`; zero without it. */
  opening: MoneyOnWire,
  /** Turnovers from `from`, or from the first posting, to `asOf`. */
  debit: MoneyOnWire,
  credit: MoneyOnWire,
  /** The balance at the end of `asOf`: opening + debit - credit. */
  balance: MoneyOnWire,
};

export const TrialBalance = z.strictObject({
  from: Day.nullable(),
  asOf: Day,
  /** Every account with a posting up to `asOf`, in the order of codes. */
  rows: z.array(
    z.strictObject({ accountCode: z.string(), accountName: z.string(), type: AccountType, ...Amounts }),
  ),
  totals: z.strictObject(Amounts),
});
export type TrialBalance = z.output<typeof TrialBalance>;

/** Sums of many balances; each of them fits. */
export class SumTooLarge extends refusal(z.object({}), {
  code: 'accounting.sum-too-large',
  kind: 'refused',
  title: 'The report adds up to more than an amount may be',
  detail: () => 'Choose a shorter span of days, or look for entries whose amounts have too many digits.',
}) {}

export const getTrialBalance = endpoint({
  method: 'GET',
  path: '/api/v1/accounting/reports/trial-balance',
  summary: 'Returns the turnover and the balance of each account at the end of a day.',
  access: readReports,
  query: z.strictObject({ asOf: Day, from: Day.optional() }).refine(({ asOf, from = asOf }) => from <= asOf, {
    error: 'must not be later than asOf',
    path: ['from'],
  }),
  replies: { 200: TrialBalance },
  refusals: [SumTooLarge],
  mayBeStale: true,
});

export const StatementLine = z.strictObject({
  postingDate: Day,
  entryId: Id,
  number: z.string(),
  /** Of a group's statement, the account below it that the line was posted to. */
  accountCode: z.string(),
  lineNumber: z.int(),
  description: z.string(),
  side: Side,
  amount: MoneyOnWire,
  baseAmount: MoneyOnWire,
  /** The balance after this line, in the base currency, positive for debit. */
  balance: MoneyOnWire,
});

export type StatementLine = z.output<typeof StatementLine>;

export const AccountStatement = z.strictObject({
  accountCode: z.string(),
  from: Day,
  to: Day,
  /** The balance before `from`. */
  opening: MoneyOnWire,
  /** The balance at the end of `to`. */
  closing: MoneyOnWire,
  items: z.array(StatementLine),
  next: z.string().nullable(),
});
export type AccountStatement = z.output<typeof AccountStatement>;

export const getAccountStatement = endpoint({
  method: 'GET',
  path: '/api/v1/accounting/reports/account-statement',
  summary:
    'Returns the postings to an account, or to all accounts below a group, in a period, with the running balance.',
  access: readReports,
  query: PageQuery.extend({ accountCode: AccountCode, from: Day, to: Day }).refine(
    ({ from, to }) => from <= to,
    { error: 'must not be later than to', path: ['from'] },
  ),
  replies: { 200: AccountStatement },
  refusals: [Absent, SumTooLarge],
  mayBeStale: true,
});
