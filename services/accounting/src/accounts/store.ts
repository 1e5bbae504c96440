import { accounts } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
import { listRecordsByKey } from '@marimo/records';

/** Changes of one organisation's chart go one after the other, so that no two of them make a circle or a code twice. */
export async function lockChart(tx: TenantTransaction): Promise<void> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('chart of ' || $1, 0))", [tx.tenantId]);
}

export function listAccountsByCodes(
  tx: TenantTransaction,
  codes: readonly string[],
): Promise<accounts.Account[]> {
  return listRecordsByKey(tx, accounts.record, codes);
}

/** Whether the account stands at or below the other one. */
export async function standsBelow(tx: TenantTransaction, code: string, otherCode: string): Promise<boolean> {
  const sql = `
    with recursive above as (
      select code, parent_code from account where tenant_id = $1 and code = $2
      union
      select account.code, account.parent_code
      from account join above on account.code = above.parent_code
      where account.tenant_id = $1
    )
    select from above where code = $3`;
  return (await tx.first(sql, [tx.tenantId, code, otherCode])) !== undefined;
}

/** What a report on an account adds up: the account and all that stands below it. Empty when there is no such account. */
export async function listIdsAtOrBelow(tx: TenantTransaction, code: string): Promise<string[]> {
  const sql = `
    with recursive below as (
      select account_id, code from account where tenant_id = $1 and code = $2
      union
      select account.account_id, account.code
      from account join below on account.parent_code = below.code
      where account.tenant_id = $1
    )
    select account_id as "accountId" from below`;
  const rows = await tx.rows<{ accountId: string }>(sql, [tx.tenantId, code]);
  return rows.map(({ accountId }) => accountId);
}

/** The first of the accounts right below that are not archived. */
export async function listCodesInUseBelow(tx: TenantTransaction, parentCode: string): Promise<string[]> {
  const sql = `
    select code from account
    where tenant_id = $1 and parent_code = $2 and not archived
    order by code
    limit 10`;
  const rows = await tx.rows<{ code: string }>(sql, [tx.tenantId, parentCode]);
  return rows.map(({ code }) => code);
}
