import { reports } from '@marimo/contracts/accounting';
import { asAdministrator } from '@marimo/postgres';
import { type AccountingServer, startAccountingServer } from './ledger/accounting-server.ts';
import { accountCodes, secondsOf } from './ledger/entries.ts';
import type { Result } from './result.ts';

const lineCount = 5_000_000;
const years = 10;
const asOf = '2025-06-17';
const rounds = 15;

interface Money {
  readonly amount: string;
}
interface TrialBalance {
  readonly rows: readonly { readonly accountCode: string; readonly debit: Money; readonly credit: Money }[];
}

/** The trial balance over five million lines through the API, beside a plain sum over the same lines. */
export async function run(): Promise<Result> {
  const accounting = await startAccountingServer();
  try {
    await accounting.addAccounts(accountCodes);
    await accounting.ask(reports.getTrialBalance, `?asOf=${asOf}`); // opens the book
    await fill(accounting);
    const ofReport = await medianMs(() => accounting.ask(reports.getTrialBalance, `?asOf=${asOf}`));
    const ofYear = await medianMs(() =>
      accounting.ask(reports.getTrialBalance, `?asOf=${asOf}&from=2025-01-01`),
    );
    const ofStatement = await medianMs(() =>
      accounting.ask(reports.getAccountStatement, `?accountCode=1000&from=2025-01-01&to=${asOf}&limit=200`),
    );
    const ofSum = await medianMs(() => plainSum(accounting), 3);
    await compare(accounting);
    const row = (report: string, ms: number) => ({
      report,
      'median ms': ms.toFixed(1),
      'times faster than the sum': Math.round(ofSum / ms),
    });
    return {
      title: `Reports over ${lineCount.toLocaleString('en')} lines of ${accountCodes.length} accounts and ${years} years`,
      rows: [
        row('trial balance, any day', ofReport),
        row('trial balance with openings', ofYear),
        row('statement of an account, first 200 lines of half a year', ofStatement),
        row('plain SQL: sum … group by account', ofSum),
      ],
      notes: [
        'The first three through the API; the sum by SQL alone, in memory, with as many workers as PostgreSQL likes.',
        'Both give the same figures for every account: compared in this run.',
      ],
    };
  } finally {
    await accounting.stop();
  }
}

/**
 * Two lines an entry, spread evenly over accounts and days. In pieces, without triggers, and with the balances summed
 * at the end: the service would take half an hour for what is only the stage here.
 */
async function fill({ server, tenantId }: AccountingServer): Promise<void> {
  await asAdministrator(server, async (client) => {
    await client.query('set search_path = accounting; set session_replication_role = replica');
    const pieces = 20;
    const size = lineCount / 2 / pieces;
    for (let piece = 0; piece < pieces; piece += 1) {
      await client.query(fillSql, [
        tenantId,
        piece * size + 1,
        (piece + 1) * size,
        lineCount / 2,
        years * 365,
      ]);
    }
    for (const sql of keepSql) await client.query(sql);
    await client.query('vacuum analyze');
  });
}

const fillSql = `
  with generated as (
    select n, (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid as entry_id,
           date '2016-01-01' + (n * $5::bigint / $4::bigint)::int as day
    from generate_series($2::bigint, $3::bigint) as n
  ), chart as (
    select account_id, row_number() over (order by code) - 1 as place, count(*) over () as places
    from account where tenant_id = $1
  ), entry as (
    insert into journal_entry (tenant_id, entry_id, journal_id, fiscal_year, sequence, number, posting_date, description,
      line_count, digest, posted_by)
    select $1, entry_id, journal_id, extract(year from day), n, 'GJ-' || n, day, 'Generated', 2, sha256('generated'), $1
    from generated, journal
  )
  insert into journal_line (tenant_id, entry_id, line_number, account_id, posting_date, currency,
    debit_minor, credit_minor, base_debit_minor, base_credit_minor)
  select $1, entry_id, line, account_id, day, 'RUB', debit, credit, debit, credit
  from generated
  cross join generate_series(1, 2) as line
  cross join lateral (
    select case line when 1 then n % 1000 + 1 else 0 end as debit, case line when 2 then n % 1000 + 1 else 0 end as credit
  ) as amount
  join chart on chart.place = (n * 7 + line * 13) % chart.places`;

const sums = 'sum(debit_minor), sum(credit_minor), sum(base_debit_minor), sum(base_credit_minor)';
const keepSql = [
  `insert into account_month
   select tenant_id, account_id, currency, date_trunc('month', posting_date::timestamp)::date, ${sums}
   from journal_line group by 1, 2, 3, 4`,
  `insert into account_day
   select tenant_id, posting_date, account_id, currency, ${sums} from journal_line group by 1, 2, 3, 4`,
];

async function medianMs(work: () => Promise<unknown>, times = rounds): Promise<number> {
  await work(); // warm
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) taken.push((await secondsOf(work)) * 1_000);
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}

function plainSum({ server, tenantId }: AccountingServer) {
  return asAdministrator(server, async (client) => {
    const { rows } = await client.query(
      `select account.code, summed.debit, summed.credit
       from (
         select account_id, sum(base_debit_minor) as debit, sum(base_credit_minor) as credit
         from accounting.journal_line where tenant_id = $1 and posting_date <= $2 group by account_id
       ) as summed
       join accounting.account using (account_id)
       order by account.code`,
      [tenantId, asOf],
    );
    return rows as { code: string; debit: string; credit: string }[];
  });
}

/** A fast wrong report would be no report. */
async function compare(accounting: AccountingServer): Promise<void> {
  const { rows } = await accounting.ask<TrialBalance>(reports.getTrialBalance, `?asOf=${asOf}`);
  const minor = ({ amount }: Money) => amount.replace('.', '').replace(/^0+(?=.)/, '');
  const told = rows.map(
    ({ accountCode, debit, credit }) => `${accountCode} ${minor(debit)} ${minor(credit)}`,
  );
  const summed = (await plainSum(accounting)).map(({ code, debit, credit }) => `${code} ${debit} ${credit}`);
  if (told.length === 0 || told.join() !== summed.join()) throw new Error('The report and the sum differ');
}
