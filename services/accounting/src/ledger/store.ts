import type { Transaction } from '@marimo/postgres';
import type { NumberedEntry } from './ledger.ts';

export interface AccountState {
  readonly code: string;
  readonly accountId: string;
  readonly archived: boolean;
  readonly isGroup: boolean;
}

export function findAccounts(tx: Transaction, codes: readonly string[]): Promise<AccountState[]> {
  const sql = `
    select code, account_id as "accountId", archived, is_group as "isGroup"
    from account where tenant_id = $1 and code = any($2)`;
  return tx.rows<AccountState>(sql, [tx.tenantId, codes], 'ledger_find_accounts');
}

export interface JournalState {
  readonly code: string;
  readonly journalId: string;
}

export function findJournals(tx: Transaction, codes: readonly string[]): Promise<JournalState[]> {
  const sql = 'select code, journal_id as "journalId" from journal where tenant_id = $1 and code = any($2)';
  return tx.rows<JournalState>(sql, [tx.tenantId, codes], 'ledger_find_journals');
}

export interface PostedBefore {
  readonly entryId: string;
  readonly number: string;
  readonly digest: Buffer;
}

export function findPosted(tx: Transaction, entryIds: readonly string[]): Promise<PostedBefore[]> {
  const sql = `
    select entry_id as "entryId", number, digest
    from journal_entry where tenant_id = $1 and entry_id = any($2::uuid[])`;
  return tx.rows<PostedBefore>(sql, [tx.tenantId, entryIds], 'ledger_find_posted');
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

/** How many were new; an id or a reversal that somebody else has posted meanwhile is left out. */
export function insertEntries(
  tx: Transaction,
  entries: readonly NumberedEntry[],
  by: { readonly postedBy: string; readonly postedAt: string },
): Promise<number> {
  const sql = `
    insert into journal_entry (tenant_id, posted_by, posted_at, entry_id, journal_id, fiscal_year, sequence, number,
      posting_date, description, line_count, digest, reversal_of)
    select $1, $2, $3, given.*
    from unnest($4::uuid[], $5::uuid[], $6::int[], $7::bigint[], $8::text[], $9::date[], $10::text[], $11::int[],
      $12::bytea[], $13::uuid[]) as given
    on conflict do nothing`;
  const values = [
    tx.tenantId,
    by.postedBy,
    by.postedAt,
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
  return tx.run(sql, values, 'ledger_insert_entries');
}

/** All lines of the entries in one statement: the database holds each entry's lines against its rules as a whole. */
export async function insertLines(tx: Transaction, entries: readonly NumberedEntry[]): Promise<void> {
  const sql = `
    insert into journal_line (tenant_id, entry_id, line_number, account_id, posting_date, currency,
      debit_minor, credit_minor, base_debit_minor, base_credit_minor, description)
    select $1, given.*
    from unnest($2::uuid[], $3::int[], $4::uuid[], $5::date[], $6::text[],
      $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[]) as given`;
  const lines = entries.flatMap(({ entryId, accountIds, entry: { postingDate, lines: own } }) =>
    own.map((line, index) => ({ ...line, entryId, postingDate, index, accountId: accountIds[index] })),
  );
  const values = [
    tx.tenantId,
    lines.map(({ entryId }) => entryId),
    lines.map(({ index }) => index + 1),
    lines.map(({ accountId }) => accountId),
    lines.map(({ postingDate }) => postingDate),
    lines.map(({ amount }) => amount.currency),
    lines.map(({ side, amount }) => (side === 'debit' ? amount.minor : 0n)),
    lines.map(({ side, amount }) => (side === 'credit' ? amount.minor : 0n)),
    lines.map(({ side, baseAmount }) => (side === 'debit' ? baseAmount.minor : 0n)),
    lines.map(({ side, baseAmount }) => (side === 'credit' ? baseAmount.minor : 0n)),
    lines.map(({ description }) => description),
  ];
  await tx.run(sql, values, 'ledger_insert_lines');
}
