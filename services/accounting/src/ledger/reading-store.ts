import type { journalEntries } from '@marimo/contracts/accounting';
import { Money } from '@marimo/measures';
import { containsText, type TenantTransaction } from '@marimo/postgres';
import { listIdsAtOrBelow } from '../accounts/index.ts';

interface EntryColumns {
  readonly entryId: string;
  readonly number: string;
  readonly journalCode: string;
  readonly postingDate: string;
  readonly description: string;
  readonly reversalOf: string | null;
  readonly reversedBy: string | null;
  readonly postedBy: string;
  readonly postedAt: Date;
}

const columns = `
  entry.entry_id as "entryId", entry.number, journal.code as "journalCode", entry.posting_date as "postingDate",
  entry.description, entry.reversal_of as "reversalOf", reversal.entry_id as "reversedBy",
  entry.posted_by as "postedBy", entry.posted_at as "postedAt"`;

const source = `
  journal_entry as entry
  join journal on journal.tenant_id = entry.tenant_id and journal.journal_id = entry.journal_id
  left join journal_entry as reversal
    on reversal.tenant_id = entry.tenant_id and reversal.reversal_of = entry.entry_id`;

interface LineColumns {
  readonly lineNumber: number;
  readonly accountCode: string;
  readonly currency: string;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly base: bigint;
  readonly description: string | null;
}

export async function getEntry(
  tx: TenantTransaction,
  entryId: string,
  baseCurrency: string,
): Promise<journalEntries.JournalEntry | undefined> {
  const entrySql = `select ${columns} from ${source} where entry.tenant_id = $1 and entry.entry_id = $2`;
  const linesSql = `
    select line.line_number as "lineNumber", account.code as "accountCode", line.currency, line.description,
           line.debit_minor as debit, line.credit_minor as credit,
           line.base_debit_minor + line.base_credit_minor as base
    from journal_line as line
    join account on account.tenant_id = line.tenant_id and account.account_id = line.account_id
    where line.tenant_id = $1 and line.entry_id = $2
    order by line.line_number`;
  const entry = await tx.first<EntryColumns>(entrySql, [tx.tenantId, entryId], 'ledger_entry');
  if (entry === undefined) return undefined;
  const lines = await tx.rows<LineColumns>(linesSql, [tx.tenantId, entryId], 'ledger_lines');
  return {
    ...entry,
    lines: lines.map(({ lineNumber, accountCode, debit, credit, base, currency, description }) => ({
      lineNumber,
      accountCode,
      side: debit > 0n ? 'debit' : 'credit',
      amount: Money.ofMinor(debit + credit, currency),
      baseAmount: Money.ofMinor(base, baseCurrency),
      description,
    })),
  };
}

type EntryPlace = readonly [postingDate: string, sequence: string, entryId: string];

export interface EntryFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accountCode?: string | undefined;
  readonly journalCode?: string | undefined;
  readonly text?: string | undefined;
  readonly after: EntryPlace | undefined;
  readonly limit: number;
}

export interface ListedEntry {
  readonly summary: journalEntries.JournalEntrySummary;
  readonly place: EntryPlace;
}

export async function listEntries(
  tx: TenantTransaction,
  filter: EntryFilter,
  baseCurrency: string,
): Promise<ListedEntry[]> {
  const sql = `
    select ${columns}, entry.sequence,
           (select sum(line.base_debit_minor)::bigint from journal_line as line
            where line.tenant_id = entry.tenant_id and line.entry_id = entry.entry_id) as total
    from ${source}
    where entry.tenant_id = $1
      and ($2::date is null or entry.posting_date >= $2)
      and ($3::date is null or entry.posting_date <= $3)
      and ($4::uuid[] is null or entry.entry_id in (
        select line.entry_id
        from journal_line as line
        where line.tenant_id = $1 and line.account_id = any($4)
          and ($2::date is null or line.posting_date >= $2)
          and ($3::date is null or line.posting_date <= $3)))
      and ($5::text is null or journal.code = $5)
      and ($6::text is null or ${containsText("entry.number || ' ' || entry.description", '$6')})
      and ($7::date is null or (entry.posting_date, entry.sequence, entry.entry_id) < ($7, $8::bigint, $9::uuid))
    order by entry.posting_date desc, entry.sequence desc, entry.entry_id desc
    limit $10`;
  const { from, to, accountCode, journalCode, text, after = [], limit } = filter;
  const [date, sequence, id] = after;
  const accountIds = accountCode === undefined ? undefined : await listIdsAtOrBelow(tx, accountCode);
  const values = [tx.tenantId, from, to, accountIds, journalCode, text, date, sequence, id, limit];
  const rows = await tx.rows<EntryColumns & { sequence: bigint; total: bigint }>(sql, values);
  return rows.map(({ sequence: place, total, ...entry }) => ({
    summary: {
      ...entry,
      total: Money.ofMinor(total, baseCurrency),
    },
    place: [entry.postingDate, String(place), entry.entryId],
  }));
}
