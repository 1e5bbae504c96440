import type { accounts } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';

/** Minor units of the base currency. */
export interface TrialBalanceRow {
  readonly accountCode: string;
  readonly accountName: string;
  readonly type: accounts.AccountType;
  readonly opening: bigint;
  readonly debit: bigint;
  readonly credit: bigint;
}

/** As text: sums of what fits a bigint need not fit one themselves. */
type Sums = Readonly<Record<'opening' | 'debit' | 'credit', string>>;

/** Reads kept balances only, so its time does not depend on how many entries there are. */
export async function listTrialBalanceRows(
  tx: TenantTransaction,
  asOf: string,
  from: string | undefined,
): Promise<TrialBalanceRow[]> {
  const sql = `
    select account.code as "accountCode", account.name as "accountName", account.type,
           coalesce(before.debit - before.credit, 0)::text as opening,
           (until.debit - coalesce(before.debit, 0))::text as debit,
           (until.credit - coalesce(before.credit, 0))::text as credit
    from (
      select account_id, sum(base_debit_minor) as debit, sum(base_credit_minor) as credit
      from turnover_until($1, $2) group by account_id
    ) as until
    left join (
      select account_id, sum(base_debit_minor) as debit, sum(base_credit_minor) as credit
      from turnover_until($1, $3::date - 1) group by account_id
    ) as before using (account_id)
    join account on account.tenant_id = $1 and account.account_id = until.account_id
    order by account.code`;
  const rows = await tx.rows<Omit<TrialBalanceRow, keyof Sums> & Sums>(sql, [tx.tenantId, asOf, from]);
  return rows.map(({ opening, debit, credit, ...row }) => ({
    ...row,
    opening: BigInt(opening),
    debit: BigInt(debit),
    credit: BigInt(credit),
  }));
}

/** Debit minus credit of some accounts together when a day ends, in minor units of the base currency. */
export function getBalanceUntil(
  tx: TenantTransaction,
  accountIds: readonly string[],
  day: string,
): Promise<bigint> {
  return balanceAt(tx, accountIds, day, 0);
}

/** The same when a day begins. */
export function getBalanceBefore(
  tx: TenantTransaction,
  accountIds: readonly string[],
  day: string,
): Promise<bigint> {
  return balanceAt(tx, accountIds, day, 1);
}

async function balanceAt(
  tx: TenantTransaction,
  accountIds: readonly string[],
  day: string,
  daysBefore: 0 | 1,
): Promise<bigint> {
  const sql = `
    select coalesce(sum(base_debit_minor) - sum(base_credit_minor), 0)::text as balance
    from turnover_until($1, $2::date - $4::int) where account_id = any($3)`;
  const row = await tx.first<{ balance: string }>(
    sql,
    [tx.tenantId, day, accountIds, daysBefore],
    'report_balance',
  );
  return BigInt(row?.balance ?? 0);
}

/** The place of a line in a statement. */
export type LinePlace = readonly [postingDate: string, sequence: string, entryId: string, lineNumber: number];

/** What the lines of that one day up to and including this place add to the balance. */
export async function movedUpTo(
  tx: TenantTransaction,
  accountIds: readonly string[],
  place: LinePlace,
): Promise<bigint> {
  const sql = `
    select coalesce(sum(line.base_debit_minor) - sum(line.base_credit_minor), 0)::text as balance
    from journal_line as line
    join journal_entry as entry on entry.tenant_id = line.tenant_id and entry.entry_id = line.entry_id
    where line.tenant_id = $1 and line.account_id = any($2) and line.posting_date = $3
      and (entry.sequence, line.entry_id, line.line_number) <= ($4::bigint, $5::uuid, $6::int)`;
  const row = await tx.first<{ balance: string }>(sql, [tx.tenantId, accountIds, ...place]);
  return BigInt(row?.balance ?? 0);
}

export interface StatementRow {
  readonly postingDate: string;
  readonly sequence: bigint;
  readonly entryId: string;
  readonly number: string;
  readonly accountCode: string;
  readonly lineNumber: number;
  readonly description: string;
  readonly currency: string;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly baseDebit: bigint;
  readonly baseCredit: bigint;
}

export interface StatementFilter {
  readonly accountIds: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly after: LinePlace | undefined;
  readonly limit: number;
}

export function listStatementRows(tx: TenantTransaction, filter: StatementFilter): Promise<StatementRow[]> {
  // Each account gives at most a page, read from its index: a group of many would otherwise read all its lines.
  const sql = `
    select page.*
    from account
    cross join lateral (
      select line.posting_date as "postingDate", entry.sequence, line.entry_id as "entryId", entry.number,
             account.code as "accountCode", line.line_number as "lineNumber",
             coalesce(line.description, entry.description) as description,
             line.currency, line.debit_minor as debit, line.credit_minor as credit,
             line.base_debit_minor as "baseDebit", line.base_credit_minor as "baseCredit"
      from journal_line as line
      join journal_entry as entry on entry.tenant_id = line.tenant_id and entry.entry_id = line.entry_id
      where line.tenant_id = $1 and line.account_id = account.account_id and line.posting_date between $3 and $4
        and ($5::bigint is null
             or (line.posting_date, entry.sequence, line.entry_id, line.line_number) > ($3, $5, $6::uuid, $7::int))
      order by line.posting_date, entry.sequence, line.entry_id, line.line_number
      limit $8
    ) as page
    where account.tenant_id = $1 and account.account_id = any($2)
    order by page."postingDate", page.sequence, page."entryId", page."lineNumber"
    limit $8`;
  const { accountIds, from, to, after, limit } = filter;
  // Later pages begin at the day of the last line seen, so that the index leads there.
  const [firstDay = from, sequence, entryId, lineNumber] = after ?? [];
  const values = [tx.tenantId, accountIds, firstDay, to, sequence, entryId, lineNumber, limit];
  return tx.rows<StatementRow>(sql, values);
}
