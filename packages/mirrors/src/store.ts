import type { TenantTransaction } from '@marimo/postgres';
import { columnValues, type RecordValues, snake } from '@marimo/records';
import type { Mirror } from './mirror.ts';

const columnsOf = ({ record, stored }: Mirror) => [
  { name: snake(record.idField), type: 'uuid' },
  { name: 'version', type: 'int' },
  ...stored.flatMap(({ columns }) => columns),
];
const namesOf = (mirror: Mirror) => columnsOf(mirror).map(({ name }) => name);

/**
 * Writes copies; a newer one that is there already stays. The same version is written again where it differs: after a
 * migration has added a field, a rebuild fills it.
 */
export async function upsertCopies(
  tx: TenantTransaction,
  mirror: Mirror,
  copies: readonly RecordValues[],
): Promise<void> {
  if (copies.length === 0) return;
  const { record, table, stored } = mirror;
  const id = snake(record.idField);
  const names = namesOf(mirror);
  const values = names.slice(1);
  const given = copies.map((copy) => ({
    [id]: copy[record.idField],
    version: copy['version'],
    ...columnValues(stored, copy),
  }));
  const sql = `
    insert into ${table} as known (tenant_id, ${names.join(', ')})
    select $1, ${names.join(', ')}
    from jsonb_to_recordset($2::jsonb) as given (${columnsOf(mirror)
      .map(({ name, type }) => `${name} ${type}`)
      .join(', ')})
    order by ${id} -- as everybody, so that nobody waits in a circle
    on conflict (tenant_id, ${id}) do update set ${values.map((name) => `${name} = excluded.${name}`).join(', ')}
    where known.version <= excluded.version
      and (${values.map((name) => `known.${name}`).join(', ')})
        is distinct from (${values.map((name) => `excluded.${name}`).join(', ')})`;
  await tx.run(sql, [tx.tenantId, JSON.stringify(given)], `${table} upsert`);
}

export async function getCopies(
  tx: TenantTransaction,
  mirror: Mirror,
  ids: readonly string[],
): Promise<RecordValues[]> {
  const sql = `
    select ${namesOf(mirror).join(', ')} from ${mirror.table}
    where tenant_id = $1 and ${snake(mirror.record.idField)} = any($2)`;
  return tx.rows<RecordValues>(sql, [tx.tenantId, ids]);
}

/** In the order of ids, behind one of them. */
export async function listCopies(
  tx: TenantTransaction,
  mirror: Mirror,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<RecordValues[]> {
  const id = snake(mirror.record.idField);
  const sql = `
    select ${namesOf(mirror).join(', ')} from ${mirror.table}
    where tenant_id = $1 and ($2::uuid is null or ${id} > $2) order by ${id} limit $3`;
  return tx.rows<RecordValues>(sql, [tx.tenantId, after ?? null, limit]);
}

/** Ids behind one id and up to another that are not among those given. */
export async function listOthers(
  tx: TenantTransaction,
  { record, table }: Mirror,
  {
    after,
    upTo,
    given,
  }: { readonly after: string | null; readonly upTo: string | null; readonly given: readonly string[] },
): Promise<string[]> {
  const id = snake(record.idField);
  const sql = `
    select ${id} as id from ${table}
    where tenant_id = $1 and ($2::uuid is null or ${id} > $2) and ($3::uuid is null or ${id} <= $3) and ${id} <> all($4)`;
  const rows = await tx.rows<{ id: string }>(sql, [tx.tenantId, after, upTo, given]);
  return rows.map((row) => row.id);
}

/** Those with these ids, or all. */
export async function deleteCopies(
  tx: TenantTransaction,
  { record, table }: Mirror,
  ids: readonly string[] | 'all',
): Promise<void> {
  const those = ids === 'all' ? '' : ` and ${snake(record.idField)} = any($2)`;
  await tx.run(`delete from ${table} where tenant_id = $1${those}`, [
    tx.tenantId,
    ...(ids === 'all' ? [] : [ids]),
  ]);
}
