import { existsSync, readFileSync } from 'node:fs';
import { journalEntries, reports } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import {
  type EntryInput,
  type Organisation,
  organisationIn,
  startAccounting,
} from '../../test/organisation.ts';

// A real ledger of three years, and its balances as two other accounting programs compute them.
const fixtures = `${__dirname}/../../../../../shared/fixtures/ledger`;
const isThere = existsSync(`${fixtures}/three-years.json`);

interface ThreeYears {
  readonly currency: string;
  readonly entries: readonly {
    readonly number: number;
    readonly date: string;
    readonly description: string;
    readonly lines: readonly { readonly account: string; readonly amount: string }[];
  }[];
}
interface Balances {
  readonly afterAll: readonly { readonly account: string; readonly balance: string }[];
  readonly asOf: Readonly<Record<string, Balances['afterAll']>>;
  readonly turnoverByYear: Readonly<
    Record<
      string,
      {
        readonly rows: readonly Record<
          'account' | 'opening' | 'debit_turnover' | 'credit_turnover' | 'closing',
          string
        >[];
      }
    >
  >;
}

const read = <T>(file: string): T => JSON.parse(readFileSync(`${fixtures}/${file}`, 'utf8'));
const idOf = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

function entriesOf({ currency, entries }: ThreeYears): EntryInput[] {
  return entries.map(({ number, date, description, lines }) => ({
    entryId: idOf(number),
    postingDate: date,
    description,
    lines: lines.map(({ account, amount }) => ({
      accountCode: account,
      side: amount.startsWith('-') ? 'credit' : 'debit',
      amount: { amount: amount.replace('-', ''), currency },
    })),
  }));
}

const title = `three years of a real ledger${isThere ? '' : ' (left out: ../shared/fixtures/ledger is not there)'}`;

(isThere ? describe : describe.skip)(title, () => {
  let service: ServiceUnderTest;
  let pine: Organisation;
  let balances: Balances;
  let file: string;
  beforeAll(async () => {
    const years = read<ThreeYears>('three-years.json');
    balances = read<Balances>('three-years.trial-balance.json');
    file = entriesOf(years)
      .map((each) => JSON.stringify(each))
      .join('\n');
    service = await startAccounting();
    pine = organisationIn(service, years.currency);
    await pine.accounts(
      ...new Set(years.entries.flatMap(({ lines }) => lines.map(({ account }) => account))),
    );
  });
  afterAll(() => service?.stop());

  const importAll = (query = {}) =>
    pine.call(
      journalEntries.importFile,
      { query },
      { raw: { contentType: 'application/x-ndjson', body: file } },
    );
  const trialBalance = async (asOf: string, from?: string) =>
    (await pine.call(reports.getTrialBalance, { query: { asOf, ...(from !== undefined && { from }) } })).body;

  it('come in but for entry 1008, which is a cent off, and is named', async () => {
    const answer = await importAll();
    const difference = { amount: '-0.01', currency: 'USD' };
    expect(answer.json).toMatchObject({
      accepted: 1_344,
      repeated: 0,
      refused: [
        {
          line: 1_008,
          entryId: idOf(1_008),
          problem: { code: journalEntries.EntryOutOfBalance.definition.code, differences: [difference] },
        },
      ],
    });
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(1_344);
  });

  it('change nothing when they come again, whole or in a dry run', async () => {
    expect((await importAll()).body).toMatchObject({ accepted: 0, repeated: 1_344, refusedTotal: 1 });
    expect((await importAll({ dryRun: 'true' })).body).toMatchObject({
      accepted: 0,
      repeated: 1_344,
      refusedTotal: 1,
    });
    expect(await pine.rows('journal_entry')).toHaveLength(1_344);
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(1_344);
  });

  it('end in the balances that other programs compute, to the cent', async () => {
    const { rows, totals } = await trialBalance('2004-12-31');
    expect(
      rows.map(({ accountCode, balance }) => ({ account: accountCode, balance: balance.toText() })),
    ).toEqual(balances.afterAll);
    expect(totals.balance.toText()).toBe('0.00');
    expect(totals.debit.equals(totals.credit)).toBe(true);
  });

  it('have those balances at the end of each quarter too', async () => {
    expect(Object.keys(balances.asOf)).toHaveLength(11);
    for (const [day, expected] of Object.entries(balances.asOf)) {
      const { rows } = await trialBalance(day);
      expect([
        day,
        rows.map(({ accountCode, balance }) => ({ account: accountCode, balance: balance.toText() })),
      ]).toEqual([day, expected]);
    }
  });

  it('have those turnovers in each year', async () => {
    for (const [year, { rows: expected }] of Object.entries(balances.turnoverByYear)) {
      const { rows } = await trialBalance(`${year}-12-31`, `${year}-01-01`);
      const told = rows.map((row) => ({
        account: row.accountCode,
        opening: row.opening.toText(),
        debit_turnover: row.debit.toText(),
        credit_turnover: row.credit.toText(),
        closing: row.balance.toText(),
      }));
      expect([year, told]).toEqual([year, expected]);
    }
  });
});
