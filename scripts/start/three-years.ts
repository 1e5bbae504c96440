import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../steps/run.ts';

/** The real three-year ledger kept beside the project; see its README for the source. */
const folder = join(root, '../shared/fixtures/ledger');

export const fixturesArePresent = existsSync(join(folder, 'three-years.json'));

interface Entry {
  readonly number: number;
  readonly date: string;
  readonly description: string;
  readonly lines: readonly { readonly account: string; readonly amount: string }[];
}

interface Balance {
  readonly account: string;
  readonly balance: string;
}

export interface ThreeYears {
  readonly currency: string;
  readonly entries: readonly Entry[];
}

export interface ExpectedBalances {
  readonly afterAll: readonly Balance[];
  readonly asOf: Readonly<Record<string, readonly Balance[]>>;
}

export function readThreeYears(): ThreeYears {
  return JSON.parse(readFileSync(join(folder, 'three-years.json'), 'utf8'));
}

export function readExpectedBalances(): ExpectedBalances {
  return JSON.parse(readFileSync(join(folder, 'three-years.trial-balance.json'), 'utf8'));
}

/** A UUID that tells the entry's number: 00000000-0000-7000-8000-000000001008. */
export function entryIdOf(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** The ledger as the import takes it: one entry a line. */
export function asNdjson({ entries, currency }: ThreeYears): string {
  const line = (entry: Entry) => ({
    entryId: entryIdOf(entry.number),
    postingDate: entry.date,
    description: entry.description,
    lines: entry.lines.map(({ account, amount }) => ({
      accountCode: account,
      side: amount.startsWith('-') ? 'credit' : 'debit',
      amount: { amount: amount.replace('-', ''), currency },
    })),
  });
  return `${entries.map((entry) => JSON.stringify(line(entry))).join('\n')}\n`;
}
