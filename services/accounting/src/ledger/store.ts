import type { Money } from '@marimo/measures';
import type { TenantTransaction } from '@marimo/postgres';
import type { LedgerLine, NumberedEntry } from './ledger.ts';

export interface AccountState {
  readonly accountId: string;
  readonly archived: boolean;
  readonly isGroup: boolean;
}

export interface PostedBefore {
  readonly number: string;
  readonly digest: Buffer;
}

/** What is there of all that some entries name. */
export interface References {
  readonly accounts: ReadonlyMap<string, AccountState>;
  readonly journalIds: ReadonlyMap<string, string>;
  readonly posted: ReadonlyMap<string, PostedBefore>;
}

type ReferenceRow =
  | ({ readonly kind: 'account'; readonly key: string } & AccountState)
  | { readonly kind: 'journal'; readonly key: string; readonly journalId: string }
  | ({ readonly kind: 'entry'; readonly key: string } & PostedBefore);

/** One question for accounts by code, journals by code and entries by id: each more would cost a posting a round trip. */
export async function loadReferences(
  tx: TenantTransaction,
  accountCodes: ReadonlySet<string>,
  journalCodes: ReadonlySet<string>,
  entryIds: ReadonlySet<string>,
): Promise<References> {
  // The plan is made once and lives on while the tables grow from nothing to millions of rows. "limit 1" keeps it a
  // look-up by key: with "= any($4)" it read all entries of the organisation, at every posting. The arrays stand in
  // "(select …)" because a plan for their true length looks cheaper than the kept one and is made at every call, for
  // seven times what the look-ups cost.
  const sql = `
    select 'account' as kind, wanted.key, found.account_id as "accountId", found.archived, found.is_group as "isGroup",
           null::uuid as "journalId", null::text as number, null::bytea as digest
    from unnest((select $2::text[])) as wanted (key)
    cross join lateral (select * from account where tenant_id = $1 and code = wanted.key limit 1) as found
    union all
    select 'journal', wanted.key, null, null, null, found.journal_id, null, null
    from unnest((select $3::text[])) as wanted (key)
    cross join lateral (select * from journal where tenant_id = $1 and code = wanted.key limit 1) as found
    union all
    select 'entry', wanted.key::text, null, null, null, null, found.number, found.digest
    from unnest((select $4::uuid[])) as wanted (key)
    cross join lateral (select * from journal_entry where tenant_id = $1 and entry_id = wanted.key limit 1) as found`;
  const values = [tx.tenantId, [...accountCodes], [...journalCodes], [...entryIds]];
  const rows = await tx.rows<ReferenceRow>(sql, values, 'ledger_load_references');
  return {
    accounts: new Map(rows.flatMap((row) => (row.kind === 'account' ? [[row.key, row]] : []))),
    journalIds: new Map(rows.flatMap((row) => (row.kind === 'journal' ? [[row.key, row.journalId]] : []))),
    posted: new Map(rows.flatMap((row) => (row.kind === 'entry' ? [[row.key, row]] : []))),
  };
}

export interface NumbersWanted {
  readonly journalId: string;
  readonly fiscalYear: number;
  readonly count: number;
}

/**
 * Takes the next numbers of each series and gives the last of each. Other postings to these series wait from here on
 * until the transaction ends, and get the numbers back if it fails; rows are taken in the order of their key. From here
 * on no lock is waited for longer than `lockWithinMs` (SQLSTATE 55P03).
 */
export function takeNumbers(
  tx: TenantTransaction,
  wanted: readonly NumbersWanted[],
  lockWithinMs: number,
): Promise<{ journalId: string; fiscalYear: number; last: bigint }[]> {
  const sql = `
    with patience as materialized (select set_config('lock_timeout', $5, true))
    insert into number_series as series (tenant_id, journal_id, fiscal_year, last_number)
    select $1, journal_id, fiscal_year, count
    from unnest($2::uuid[], $3::int[], $4::bigint[]) as wanted (journal_id, fiscal_year, count), patience
    order by journal_id, fiscal_year
    on conflict (tenant_id, journal_id, fiscal_year)
      do update set last_number = series.last_number + excluded.last_number
    returning journal_id as "journalId", fiscal_year as "fiscalYear", last_number as last`;
  const values = [
    tx.tenantId,
    wanted.map(({ journalId }) => journalId),
    wanted.map(({ fiscalYear }) => fiscalYear),
    wanted.map(({ count }) => count),
    `${lockWithinMs}ms`,
  ];
  return tx.rows(sql, values, 'ledger_take_numbers');
}

/**
 * Inserts entries with their lines. Lines come all in one statement: the database holds each entry's lines against its
 * rules as a whole. False when somebody else has meanwhile posted one of the ids or reversals; then it must not stand.
 */
export async function insertEntries(
  tx: TenantTransaction,
  entries: readonly NumberedEntry[],
  postedAt: Date,
): Promise<boolean> {
  const [newEntries, newLines] = [
    columnsOf(entryColumns, entries, 3),
    columnsOf(lineColumns, linesOf(entries), 14),
  ];
  const sql = `
    with entry as (
      insert into journal_entry (tenant_id, posted_at, ${newEntries.names})
      select $1, $2, ${newEntries.names} from ${newEntries.source}
      on conflict do nothing
      returning entry_id, posting_date
    )
    insert into journal_line (tenant_id, posting_date, ${newLines.names})
    select $1, posting_date, ${newLines.names} from ${newLines.source} join entry using (entry_id)`;
  const values = [tx.tenantId, postedAt, ...newEntries.values, ...newLines.values];
  const inserted = await tx.run(sql, values, 'ledger_insert_entries');
  return inserted === newLines.count;
}

/** A column with its type, and what a row has in it. */
type Columns<Row> = Readonly<Record<string, readonly [type: string, value: (row: Row) => unknown]>>;

const entryColumns: Columns<NumberedEntry> = {
  entry_id: ['uuid', ({ entryId }) => entryId],
  journal_id: ['uuid', ({ journalId }) => journalId],
  fiscal_year: ['int', ({ fiscalYear }) => fiscalYear],
  sequence: ['bigint', ({ sequence }) => sequence],
  number: ['text', ({ number }) => number],
  posting_date: ['date', ({ entry }) => entry.postingDate],
  description: ['text', ({ entry }) => entry.description],
  line_count: ['int', ({ entry }) => entry.lines.length],
  digest: ['bytea', ({ digest }) => digest],
  reversal_of: ['uuid', ({ entry }) => entry.reversalOf],
  posted_by: ['uuid', ({ postedBy }) => postedBy],
};

interface LineRow extends LedgerLine {
  readonly entryId: string;
  readonly lineNumber: number;
  readonly accountId: string | undefined;
}

const onSide = (wanted: LedgerLine['side'], side: LedgerLine['side'], { minor }: Money) =>
  side === wanted ? minor : 0n;

const lineColumns: Columns<LineRow> = {
  entry_id: ['uuid', ({ entryId }) => entryId],
  line_number: ['int', ({ lineNumber }) => lineNumber],
  account_id: ['uuid', ({ accountId }) => accountId],
  currency: ['text', ({ amount }) => amount.currency],
  debit_minor: ['bigint', ({ side, amount }) => onSide('debit', side, amount)],
  credit_minor: ['bigint', ({ side, amount }) => onSide('credit', side, amount)],
  base_debit_minor: ['bigint', ({ side, baseAmount }) => onSide('debit', side, baseAmount)],
  base_credit_minor: ['bigint', ({ side, baseAmount }) => onSide('credit', side, baseAmount)],
  description: ['text', ({ description }) => description],
};

const linesOf = (entries: readonly NumberedEntry[]): LineRow[] =>
  entries.flatMap(({ entryId, accountIds, entry }) =>
    entry.lines.map((line, index) => ({
      ...line,
      entryId,
      lineNumber: index + 1,
      accountId: accountIds[index],
    })),
  );

/** The rows as a source that can be selected from: one array parameter a column, numbered from `first`. */
function columnsOf<Row>(columns: Columns<Row>, rows: readonly Row[], first: number) {
  const names = Object.keys(columns).join(', ');
  const all = Object.values(columns);
  const arrays = all.map(([type], index) => `$${first + index}::${type}[]`).join(', ');
  return {
    names,
    source: `unnest(${arrays}) as given (${names})`,
    values: all.map(([, value]) => rows.map(value)),
    count: rows.length,
  };
}
