import { createHash } from 'node:crypto';
import type { AnyRecord, Field, RecordChange } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { RecordValues } from './rows.ts';

export interface Author {
  readonly userId: string;
  readonly at: Date;
}

type Change = RecordChange['changes'][number];

/** The fields in which two states of a record differ. What is personal is named and not told. */
export function differences(record: AnyRecord, before: RecordValues, after: RecordValues): Change[] {
  const fields = [...Object.keys(record.grammar.fields), ...customOf(before), ...customOf(after)];
  return [...new Set(fields)].flatMap((field): Change[] => {
    const declared = record.grammar.fields[field];
    const [from, to] = [onWire(fieldOf(before, field)), onWire(fieldOf(after, field))];
    if (canonical(from) === canonical(to) || notTold.has(field)) return [];
    if (declared?.personal) return [{ field }];
    return [{ field, from: withoutPersonal(declared, from), to: withoutPersonal(declared, to) }];
  });
}

/** Lines without what is personal in them. */
function withoutPersonal({ fields = {} }: Partial<Field> = {}, value: Json): Json {
  const isTold = ([name]: [string, unknown]) => !fields[name]?.personal;
  if (!Array.isArray(value) || Object.values(fields).every(({ personal }) => !personal)) return value;
  return value.map((line) => Object.fromEntries(Object.entries(line as object).filter(isTold)));
}

/** They change with every change. */
const notTold = new Set(['createdAt', 'createdBy', 'changedAt', 'changedBy']);
const customOf = (values: RecordValues) =>
  Object.keys(values['custom'] ?? {}).map((name) => `custom.${name}`);

function fieldOf(values: RecordValues, field: string): unknown {
  if (!field.startsWith('custom.')) return values[field];
  return (values['custom'] as RecordValues | undefined)?.[field.slice('custom.'.length)];
}

type Json = Exclude<Change['from'], undefined>;
const onWire = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json;

/** JSON in which the order of members does not matter. */
export function canonical(value: unknown): string {
  return JSON.stringify(onWire(value), (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

/** Whether two values of fields say the same. */
export function isSameContent(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

export function digestOf(draft: unknown): Buffer {
  return createHash('sha256').update(canonical(draft)).digest();
}

export interface ChangeToKeep {
  readonly id: string;
  readonly version: number;
  readonly action: string;
  readonly changes: readonly Change[];
  readonly digest?: Buffer;
  /** What a transition was told. */
  readonly told?: unknown;
}

export async function insertChanges(
  tx: TenantTransaction,
  record: AnyRecord,
  { userId, at }: Author,
  changes: readonly ChangeToKeep[],
): Promise<void> {
  const sql = `
    insert into record_change
      (tenant_id, record, record_id, version, action, changed_at, changed_by, changes, told, digest)
    select $1, $2, given.id, given.version, given.action, $3, $4, given.changes, given.told,
           decode(given.digest, 'hex')
    from jsonb_to_recordset($5::jsonb) as given (id uuid, version int, action text, changes jsonb, told jsonb, digest text)`;
  const given = changes.map((each) => ({ ...each, digest: each.digest?.toString('hex') }));
  await tx.run(
    sql,
    [tx.tenantId, record.table, at, userId, JSON.stringify(given)],
    `${record.table} history`,
  );
}

/** With what content each of these was created. */
export async function listDigests(
  tx: TenantTransaction,
  record: AnyRecord,
  ids: readonly string[],
): Promise<Map<string, Buffer>> {
  const sql = `
    select record_id as id, digest from record_change
    where tenant_id = $1 and record = $2 and record_id = any($3) and version = 1`;
  const rows = await tx.rows<{ id: string; digest: Buffer }>(sql, [tx.tenantId, record.table, ids]);
  return new Map(rows.map(({ id, digest }) => [id, digest]));
}

const columns = 'version, action, changed_at as at, changed_by as by, told, changes';

/** Newest first, below a version. */
export async function listChanges(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  { below, limit }: { readonly below: number | undefined; readonly limit: number },
): Promise<RecordChange[]> {
  const sql = `
    select ${columns} from record_change
    where tenant_id = $1 and record = $2 and record_id = $3 and version < coalesce($4, 2147483647)
    order by version desc limit $5`;
  return tx.rows<RecordChange>(sql, [tx.tenantId, record.table, id, below ?? null, limit]);
}

/** What has been changed since a version, oldest first; the first hundred changes. */
export async function listChangesSince(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  version: number,
): Promise<RecordChange[]> {
  const sql = `
    select ${columns} from record_change
    where tenant_id = $1 and record = $2 and record_id = $3 and version > $4
    order by version limit 100`;
  return tx.rows<RecordChange>(sql, [tx.tenantId, record.table, id, version]);
}
