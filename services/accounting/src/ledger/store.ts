import type { Transaction } from '@marimo/postgres';
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
export interface Known {
  readonly accounts: ReadonlyMap<string, AccountState>;
  readonly journalIds: ReadonlyMap<string, string>;
  readonly posted: ReadonlyMap<string, PostedBefore>;
}

type KnownRow =
  | ({ readonly kind: 'account'; readonly key: string } & AccountState)
  | { readonly kind: 'journal'; readonly key: string; readonly journalId: string }
  | ({ readonly kind: 'entry'; readonly key: string } & PostedBefore);

/** One question for accounts by code, journals by code and entries by id: each more would cost a posting a round trip. */
export async function findKnown(
  tx: Transaction,
  accountCodes: ReadonlySet<string>,
  journalCodes: ReadonlySet<string>,
  entryIds: ReadonlySet<string>,
): Promise<Known> {
  // The plan is made once and lives on while the tables grow from nothing to millions of rows. "limit 1" keeps it a
  // look-up by key: with "= any($4)" it read all entries of the organisation, at every posting.
  const sql = `
    select 'account' as kind, wanted.key, found.account_id as "accountId", found.archived, found.is_group as "isGroup",
           null::uuid as "journalId", null::text as number, null::bytea as digest
    from unnest($2::text[]) as wanted (key)
    cross join lateral (select * from account where tenant_id = $1 and code = wanted.key limit 1) as found
    union all
    select 'journal', wanted.key, null, null, null, found.journal_id, null, null
    from unnest($3::text[]) as wanted (key)
    cross join lateral (select * from journal where tenant_id = $1 and code = wanted.key limit 1) as found
    union all
    select 'entry', wanted.key::text, null, null, null, null, found.number, found.digest
    from unnest($4::uuid[]) as wanted (key)
    cross join lateral (select * from journal_entry where tenant_id = $1 and entry_id = wanted.key limit 1) as found`;
  const values = [tx.tenantId, [...accountCodes], [...journalCodes], [...entryIds]];
  const rows = await tx.rows<KnownRow>(sql, values, 'ledger_find_known');
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
 * until the transaction ends, and get the numbers back if it fails; rows are taken in the order of their key.
 */
export function takeNumbers(
  tx: Transaction,
  wanted: readonly NumbersWanted[],
): Promise<{ journalId: string; fiscalYear: number; last: bigint }[]> {
  const sql = `
    insert into number_series as series (tenant_id, journal_id, fiscal_year, last_number)
    select $1, journal_id, fiscal_year, count
    from unnest($2::uuid[], $3::int[], $4::bigint[]) as wanted (journal_id, fiscal_year, count)
    order by journal_id, fiscal_year
    on conflict (tenant_id, journal_id, fiscal_year)
      do update set last_number = series.last_number + excluded.last_number
    returning journal_id as "journalId", fiscal_year as "fiscalYear", last_number as last`;
  const values = [
    tx.tenantId,
    wanted.map(({ journalId }) => journalId),
    wanted.map(({ fiscalYear }) => fiscalYear),
    wanted.map(({ count }) => count),
  ];
  return tx.rows(sql, values, 'ledger_take_numbers');
}

/**
 * Inserts entries with their lines. Lines come all in one statement: the database holds each entry's lines against its
 * rules as a whole. False when somebody else has meanwhile posted one of the ids or reversals; then it must not stand.
 */
export async function insertEntries(
  tx: Transaction,
  entries: readonly NumberedEntry[],
  by: { readonly postedBy: string; readonly postedAt: string },
): Promise<boolean> {
  const sql = `
    with entry as (
      insert into journal_entry (tenant_id, posted_by, posted_at, entry_id, journal_id, fiscal_year, sequence, number,
        posting_date, description, line_count, digest, reversal_of)
      select $1, $2, $3, given.*
      from unnest($4::uuid[], $5::uuid[], $6::int[], $7::bigint[], $8::text[], $9::date[], $10::text[], $11::int[],
        $12::bytea[], $13::uuid[]) as given
      on conflict do nothing
      returning entry_id, posting_date
    )
    insert into journal_line (tenant_id, entry_id, posting_date, line_number, account_id, currency,
      debit_minor, credit_minor, base_debit_minor, base_credit_minor, description)
    select $1, entry_id, entry.posting_date, line.number, line.account_id, line.currency,
      line.debit, line.credit, line.base_debit, line.base_credit, line.description
    from unnest($14::uuid[], $15::int[], $16::uuid[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[],
      $21::bigint[], $22::text[])
      as line (entry_id, number, account_id, currency, debit, credit, base_debit, base_credit, description)
    join entry using (entry_id)`;
  const lines = entries.flatMap(({ entryId, accountIds, entry }) =>
    entry.lines.map((line, index) => ({ ...line, entryId, index, accountId: accountIds[index] })),
  );
  const values = [tx.tenantId, by.postedBy, by.postedAt, ...entryColumns(entries), ...lineColumns(lines)];
  return (await tx.run(sql, values, 'ledger_insert_entries')) === lines.length;
}

function entryColumns(entries: readonly NumberedEntry[]): unknown[] {
  return [
    entries.map(({ entryId }) => entryId),
    entries.map(({ journalId }) => journalId),
    entries.map(({ fiscalYear }) => fiscalYear),
    entries.map(({ sequence }) => sequence),
    entries.map(({ number }) => number),
    entries.map(({ entry }) => entry.postingDate),
    entries.map(({ entry }) => entry.description),
    entries.map(({ entry }) => entry.lines.length),
    entries.map(({ digest }) => digest),
    entries.map(({ entry }) => entry.reversalOf),
  ];
}

interface LineRow extends LedgerLine {
  readonly entryId: string;
  readonly index: number;
  readonly accountId: string | undefined;
}

function lineColumns(lines: readonly LineRow[]): unknown[] {
  return [
    lines.map(({ entryId }) => entryId),
    lines.map(({ index }) => index + 1),
    lines.map(({ accountId }) => accountId),
    lines.map(({ amount }) => amount.currency),
    lines.map(({ side, amount }) => (side === 'debit' ? amount.minor : 0n)),
    lines.map(({ side, amount }) => (side === 'credit' ? amount.minor : 0n)),
    lines.map(({ side, baseAmount }) => (side === 'debit' ? baseAmount.minor : 0n)),
    lines.map(({ side, baseAmount }) => (side === 'credit' ? baseAmount.minor : 0n)),
    lines.map(({ description }) => description),
  ];
}
