import type { accounts } from '@marimo/contracts/accounting';
import { containsText, type TenantTransaction } from '@marimo/postgres';

/** Changes of one organisation's chart go one after the other, so that no two of them make a circle or a code twice. */
export async function lockChart(tx: TenantTransaction): Promise<void> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('chart of ' || $1, 0))", [tx.tenantId]);
}

const columns = `
  account.account_id as "accountId", account.code, account.name, account.type, parent.code as "parentCode",
  account.is_group as "isGroup", account.archived, account.version`;

const source = `
  account left join account as parent
    on parent.tenant_id = account.tenant_id and parent.account_id = account.parent_id`;

export function listAccountsByCodes(
  tx: TenantTransaction,
  codes: readonly string[],
): Promise<accounts.Account[]> {
  const sql = `select ${columns} from ${source} where account.tenant_id = $1 and account.code = any($2)`;
  return tx.rows<accounts.Account>(sql, [tx.tenantId, codes]);
}

export function getAccount(tx: TenantTransaction, accountId: string): Promise<accounts.Account | undefined> {
  const sql = `select ${columns} from ${source} where account.tenant_id = $1 and account.account_id = $2`;
  return tx.first<accounts.Account>(sql, [tx.tenantId, accountId]);
}

export interface AccountFilter {
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly archived: string | undefined;
  readonly text: string | undefined;
  readonly afterCode: string | undefined;
  readonly limit: number;
}

export function listAccounts(tx: TenantTransaction, filter: AccountFilter): Promise<accounts.Account[]> {
  const { code, type, archived, text, afterCode, limit } = filter;
  const sql = `
    select ${columns}
    from ${source}
    where account.tenant_id = $1
      and ($2::text is null or account.code = $2)
      and ($3::text is null or account.type = $3)
      and ($4::boolean is null or account.archived = $4)
      and ($5::text is null or ${containsText("account.code || ' ' || account.name", '$5')})
      and ($6::text is null or account.code > $6)
    order by account.code
    limit $7`;
  return tx.rows<accounts.Account>(sql, [tx.tenantId, code, type, archived, text, afterCode, limit]);
}

/** Parents may be among the accounts themselves: the foreign key is looked at when all of them are there. */
export async function insertAccounts(
  tx: TenantTransaction,
  chart: readonly accounts.Account[],
): Promise<void> {
  const sql = `
    with given as (
      select * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
        as given (account_id, code, name, type, parent_code, is_group)
    )
    insert into account (tenant_id, account_id, code, name, type, parent_id, is_group)
    select $1, given.account_id, given.code, given.name, given.type,
           coalesce(beside.account_id, present.account_id), given.is_group
    from given
    left join given as beside on beside.code = given.parent_code
    left join account as present on present.tenant_id = $1 and present.code = given.parent_code`;
  await tx.run(sql, [
    tx.tenantId,
    chart.map(({ accountId }) => accountId),
    chart.map(({ code }) => code),
    chart.map(({ name }) => name),
    chart.map(({ type }) => type),
    chart.map(({ parentCode }) => parentCode),
    chart.map(({ isGroup }) => isGroup),
  ]);
}

export async function updateAccount(tx: TenantTransaction, account: accounts.Account): Promise<void> {
  const sql = `
    update account
    set name = $3, archived = $4, version = $5,
        parent_id = (select account_id from account where tenant_id = $1 and code = $6)
    where tenant_id = $1 and account_id = $2`;
  const { accountId, name, archived, version, parentCode } = account;
  await tx.run(sql, [tx.tenantId, accountId, name, archived, version, parentCode]);
}

/** Whether the account stands at or below the other one. */
export async function standsBelow(
  tx: TenantTransaction,
  accountId: string,
  otherId: string,
): Promise<boolean> {
  const sql = `
    with recursive above as (
      select account_id, parent_id from account where tenant_id = $1 and account_id = $2
      union
      select account.account_id, account.parent_id
      from account join above on account.account_id = above.parent_id
      where account.tenant_id = $1
    )
    select from above where account_id = $3`;
  return (await tx.first(sql, [tx.tenantId, accountId, otherId])) !== undefined;
}

/** What a report on an account adds up: the account and all that stands below it. Empty when there is no such account. */
export async function listIdsAtOrBelow(tx: TenantTransaction, code: string): Promise<string[]> {
  const sql = `
    with recursive below as (
      select account_id from account where tenant_id = $1 and code = $2
      union
      select account.account_id
      from account join below on account.parent_id = below.account_id
      where account.tenant_id = $1
    )
    select account_id as "accountId" from below`;
  const rows = await tx.rows<{ accountId: string }>(sql, [tx.tenantId, code]);
  return rows.map(({ accountId }) => accountId);
}

/** The first of the accounts right below that are not archived. */
export async function listCodesInUseBelow(tx: TenantTransaction, accountId: string): Promise<string[]> {
  const sql = `
    select code from account
    where tenant_id = $1 and parent_id = $2 and not archived
    order by code
    limit 10`;
  const rows = await tx.rows<{ code: string }>(sql, [tx.tenantId, accountId]);
  return rows.map(({ code }) => code);
}
