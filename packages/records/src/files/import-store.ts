import type { ImportMapping } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { ImportSoFar } from './import-records.ts';

export async function getImportSoFar(tx: TenantTransaction, jobId: string): Promise<ImportSoFar | undefined> {
  const sql = 'select report from record_import where tenant_id = $1 and job_id = $2';
  return (await tx.first<{ report: ImportSoFar }>(sql, [tx.tenantId, jobId]))?.report;
}

export async function upsertImportSoFar(
  tx: TenantTransaction,
  jobId: string,
  soFar: ImportSoFar,
): Promise<void> {
  const sql = `
    insert into record_import (tenant_id, job_id, report) values ($1, $2, $3)
    on conflict (tenant_id, job_id) do update set report = excluded.report, changed_at = now()`;
  await tx.run(sql, [tx.tenantId, jobId, JSON.stringify(soFar)]);
}

/** Of jobs that can no longer be open. */
export async function deleteOldImports(tx: TenantTransaction): Promise<void> {
  await tx.run(`delete from record_import where tenant_id = $1 and changed_at < now() - interval '30 days'`, [
    tx.tenantId,
  ]);
}

export async function listMappings(tx: TenantTransaction, record: string): Promise<ImportMapping[]> {
  const sql =
    'select name, columns from record_import_mapping where tenant_id = $1 and record = $2 order by name';
  return tx.rows<ImportMapping>(sql, [tx.tenantId, record]);
}

export async function getMapping(
  tx: TenantTransaction,
  record: string,
  name: string,
): Promise<ImportMapping | undefined> {
  const sql =
    'select name, columns from record_import_mapping where tenant_id = $1 and record = $2 and name = $3';
  return tx.first<ImportMapping>(sql, [tx.tenantId, record, name]);
}

export async function upsertMapping(
  tx: TenantTransaction,
  record: string,
  { name, columns }: ImportMapping,
): Promise<void> {
  const sql = `
    insert into record_import_mapping (tenant_id, record, name, columns) values ($1, $2, $3, $4)
    on conflict (tenant_id, record, name) do update set columns = excluded.columns`;
  await tx.run(sql, [tx.tenantId, record, name, JSON.stringify(columns)]);
}

/** Whether there was one. */
export async function deleteMapping(tx: TenantTransaction, record: string, name: string): Promise<boolean> {
  const sql = 'delete from record_import_mapping where tenant_id = $1 and record = $2 and name = $3';
  return (await tx.run(sql, [tx.tenantId, record, name])) > 0;
}
