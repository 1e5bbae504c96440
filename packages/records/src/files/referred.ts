import type { AnyRecord, Fields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake } from '../columns.ts';

/** What must be known of a record for others to refer to it by its key. */
export type ReferredRecord = Pick<AnyRecord, 'fullName' | 'key' | 'fields' | 'idField' | 'table'>;

/** Records that are referred to, by full name: those that people know by a key of one text. */
export type Referred = ReadonlyMap<string, ReferredRecord>;

export function referredBy(record: ReferredRecord, others: readonly ReferredRecord[]): Referred {
  const known = [record, ...others].filter((each) => keyFieldOf(each) !== undefined);
  return new Map(known.map((each) => [each.fullName, each]));
}

function keyFieldOf({ key, fields }: ReferredRecord): string | undefined {
  const [field, more] = key;
  return field !== undefined && more === undefined && (fields as Fields)[field]?.kind === 'text'
    ? field
    : undefined;
}

/** What people call these records: the key by id. */
export async function keysOf(
  tx: TenantTransaction,
  record: ReferredRecord,
  ids: readonly string[],
): Promise<[string, string][]> {
  const { id, key, table } = namesOf(record);
  const sql = `select ${id} as id, ${key} as key from ${table} where tenant_id = $1 and ${id} = any($2)`;
  const rows = await tx.rows<{ id: string; key: string }>(sql, [tx.tenantId, ids]);
  return rows.map((row) => [row.id, row.key]);
}

/** The ids by key. */
export async function idsOf(
  tx: TenantTransaction,
  record: ReferredRecord,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { id, key, table } = namesOf(record);
  const sql = `select ${id} as id, ${key} as key from ${table} where tenant_id = $1 and ${key} = any($2)`;
  const rows = await tx.rows<{ id: string; key: string }>(sql, [tx.tenantId, keys]);
  return new Map(rows.map((row) => [row.key, row.id]));
}

function namesOf(record: ReferredRecord) {
  return { id: snake(record.idField), key: snake(keyFieldOf(record) ?? ''), table: record.table };
}
