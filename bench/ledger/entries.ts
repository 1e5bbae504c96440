import { type BodyInputOf, newId } from '@marimo/contracts';
import type { journalEntries } from '@marimo/contracts/accounting';

export type EntryInput = BodyInputOf<typeof journalEntries.post>;

/** As many accounts as a company of some size uses day by day. */
export const accountCodes: readonly string[] = Array.from({ length: 100 }, (_, index) =>
  String(1000 + index),
);

/** An invoice as the ledger sees it: receivable, revenue, tax; spread over accounts and over the days of a year. */
export function invoiceEntry(turn: number, lineCount = 3): EntryInput {
  const account = (step: number) => accountCodes[(turn * 7 + step * 13) % accountCodes.length] ?? '1000';
  const day = new Date(Date.UTC(2026, 0, 1 + (turn % 365))).toISOString().slice(0, 10);
  const credits = Array.from({ length: lineCount - 1 }, (_, index) => ({
    accountCode: account(index + 1),
    side: 'credit' as const,
    amount: { amount: '10.00', currency: 'RUB' },
  }));
  const total = { amount: `${credits.length * 10}.00`, currency: 'RUB' };
  return {
    entryId: newId(),
    postingDate: day,
    description: `Invoice ${turn}`,
    lines: [{ accountCode: account(0), side: 'debit', amount: total }, ...credits],
  };
}

let turn = 0;

/** The next of an endless row of invoices. */
export const invoices = (count: number, lineCount = 3): EntryInput[] =>
  Array.from({ length: count }, () => invoiceEntry(++turn, lineCount));

export const ndjsonOf = (entries: readonly EntryInput[]): string =>
  entries.map((entry) => JSON.stringify(entry)).join('\n');

export function csvOf(entries: readonly EntryInput[]): string {
  const rows = entries.flatMap(({ entryId, postingDate, description, lines }) =>
    lines.map(({ accountCode, side, amount }) =>
      [entryId, postingDate, description, accountCode, side, amount.amount, amount.currency].join(','),
    ),
  );
  return ['entryId,postingDate,description,accountCode,side,amount,currency', ...rows].join('\n');
}

/** Runs the work on so many at once until the time is over; gives how many were done in a second. */
export async function perSecond(
  atOnce: number,
  seconds: number,
  work: () => Promise<number>,
): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let done = 0;
  const worker = async () => {
    while (performance.now() < endsAt) {
      const more = await work(); // apart: "done += await …" would read `done` before the others have added to it
      done += more;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done / ((performance.now() - startedAt) / 1_000);
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}
