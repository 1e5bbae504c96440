import type { journals } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';

/** What every posting and report of an organisation needs to know first. */
export interface Book {
  readonly baseCurrency: string;
}

/** False when the book is open already. */
export async function insertBook(tx: TenantTransaction, { baseCurrency }: Book): Promise<boolean> {
  const sql = `
    insert into ledger_book (tenant_id, base_currency) values ($1, $2)
    on conflict (tenant_id) do nothing`;
  return (await tx.run(sql, [tx.tenantId, baseCurrency])) === 1;
}

/** False when the code is taken. */
export async function insertJournal(
  tx: TenantTransaction,
  { journalId, code, name }: journals.Journal,
): Promise<boolean> {
  const sql = `
    insert into journal (tenant_id, journal_id, code, name) values ($1, $2, $3, $4)
    on conflict (tenant_id, code) do nothing`;
  return (await tx.run(sql, [tx.tenantId, journalId, code, name])) === 1;
}

const columns = 'journal_id as "journalId", code, name';

export function getJournal(tx: TenantTransaction, code: string): Promise<journals.Journal | undefined> {
  const sql = `select ${columns} from journal where tenant_id = $1 and code = $2`;
  return tx.first<journals.Journal>(sql, [tx.tenantId, code]);
}

export function listJournals(tx: TenantTransaction): Promise<journals.Journal[]> {
  return tx.rows<journals.Journal>(`select ${columns} from journal where tenant_id = $1 order by code`, [
    tx.tenantId,
  ]);
}
