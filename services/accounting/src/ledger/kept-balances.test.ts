import { newId } from '@marimo/contracts';
import { journalEntries, reports } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import fc from 'fast-check';
import {
  type EntryInput,
  type Organisation,
  organisationIn,
  startAccounting,
} from '../../test/organisation.ts';

let service: ServiceUnderTest;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());

const codes = ['41', '51', '52', '60', '90'];
const money = (minor: number, currency: string) => ({ amount: (minor / 100).toFixed(2), currency });

/** An entry of several pairs, each of which balances in its currency and in roubles. */
const anyEntry = fc
  .record({
    postingDate: fc.constantFrom('2025-12-31', '2026-01-01', '2026-01-15', '2026-01-31', '2026-02-01'),
    pairs: fc.array(
      fc.record({
        debit: fc.constantFrom(...codes),
        credit: fc.constantFrom(...codes),
        minor: fc.integer({ min: 1, max: 1_000_000 }),
        currency: fc.constantFrom('RUB', 'USD', 'EUR'),
        worth: fc.integer({ min: 0, max: 100_000_000 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(
    ({ postingDate, pairs }): EntryInput => ({
      entryId: newId(),
      postingDate,
      description: 'Anything',
      lines: pairs.flatMap(({ debit, credit, minor, currency, worth }) => {
        const worthy = {
          amount: money(minor, currency),
          baseAmount: money(currency === 'RUB' ? minor : worth, 'RUB'),
        };
        return [
          { accountCode: debit, side: 'debit' as const, ...worthy },
          { accountCode: credit, side: 'credit' as const, ...worthy },
        ];
      }),
    }),
  );

/** The balances as they are kept, and computed anew from all lines. */
async function balancesOf(pine: Organisation, table: 'account_month' | 'account_day') {
  const period = table === 'account_month' ? 'month' : 'day';
  const first = period === 'month' ? "date_trunc('month', posting_date)::date" : 'posting_date';
  const columns = 'debit_minor, credit_minor, base_debit_minor, base_credit_minor';
  const sums = columns.replaceAll(/(\w+)/g, 'sum($1)::bigint as $1');
  const kept = await service.database.sql(
    `select account_id, currency, ${period}, ${columns} from ${table} where tenant_id = $1 order by 1, 2, 3`,
    [pine.tenantId],
  );
  const anew = await service.database.sql(
    `select account_id, currency, ${first} as ${period}, ${sums} from journal_line where tenant_id = $1
     group by 1, 2, 3 order by 1, 2, 3`,
    [pine.tenantId],
  );
  return { kept, anew };
}

describe('kept balances', () => {
  it('are the sums of the lines, whatever was posted and reversed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEntry, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (entries, chosen) => {
          const pine = organisationIn(service);
          await pine.accounts(...codes);
          // In two requests, so that the second finds balances to add to.
          for (const some of [entries, entries.map((each) => ({ ...each, entryId: newId() }))]) {
            await pine.call(journalEntries.postBatch, { query: {}, body: { entries: some } });
          }
          const { entryId = '' } = entries[chosen % entries.length] ?? {};
          await pine.call(journalEntries.reverse, { params: { entryId }, body: {} });
          for (const table of ['account_month', 'account_day'] as const) {
            const { kept, anew } = await balancesOf(pine, table);
            expect(kept).toEqual(anew);
          }
          const { body } = await pine.call(reports.getTrialBalance, { query: { asOf: '2026-12-31' } });
          expect(body.totals.balance.isZero()).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });
});
