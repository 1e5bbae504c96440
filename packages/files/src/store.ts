import type { TenantTransaction, Transaction } from '@marimo/postgres';

/** A file that was received whole and has passed its inspection. */
export interface StoredFile {
  readonly tenantId: string;
  readonly fileId: string;
  readonly name: string;
  /** As found in its content. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** Null where a service made it for itself. */
  readonly createdBy: string | null;
  readonly createdAt: Date;
}

/** What a file belongs to: `invoice` and its id. */
export interface FileOwner {
  readonly kind: string;
  readonly id: string;
}

type FileRow = Omit<StoredFile, 'sizeBytes'> & { readonly sizeBytes: bigint };

const columns = `file.tenant_id as "tenantId", file.file_id as "fileId", name, content_type as "contentType",
  size_bytes as "sizeBytes", encode(sha256, 'hex') as sha256, created_by as "createdBy", created_at as "createdAt"`;

export async function insertFile(
  tx: TenantTransaction,
  file: Omit<StoredFile, 'tenantId' | 'createdAt'>,
): Promise<StoredFile> {
  const { fileId, name, contentType, sizeBytes, sha256, createdBy } = file;
  const row = await tx.first<FileRow>(
    `insert into file (tenant_id, file_id, name, content_type, size_bytes, sha256, created_by)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7)
     returning ${columns}`,
    [tx.tenantId, fileId, name, contentType, sizeBytes, sha256, createdBy],
  );
  return fromRow(row as FileRow); // an insert that does not throw returns its row
}

/** What the organisation keeps in this service. */
export async function getUsedBytes(tx: TenantTransaction): Promise<number> {
  const row = await tx.first<{ usedBytes: bigint }>(
    'select used_bytes as "usedBytes" from file_usage where tenant_id = $1',
    [tx.tenantId],
  );
  return Number(row?.usedBytes ?? 0);
}

/** Takes the room for a file; false where there is not enough. Others that add one wait until the transaction ends. */
export async function takeRoom(
  tx: TenantTransaction,
  sizeBytes: number,
  limitBytes: number,
): Promise<boolean> {
  const taken = await tx.run(
    `insert into file_usage as kept (tenant_id, used_bytes)
     select $1, $2 where $2::bigint <= $3::bigint
     on conflict (tenant_id) do update set used_bytes = kept.used_bytes + excluded.used_bytes
     where kept.used_bytes + excluded.used_bytes <= $3`,
    [tx.tenantId, sizeBytes, limitBytes],
  );
  return taken > 0;
}

export async function getFile(tx: TenantTransaction, fileId: string): Promise<StoredFile | undefined> {
  const row = await tx.first<FileRow>(`select ${columns} from file where tenant_id = $1 and file_id = $2`, [
    tx.tenantId,
    fileId,
  ]);
  return row && fromRow(row);
}

export async function listFilesOf(tx: TenantTransaction, { kind, id }: FileOwner): Promise<StoredFile[]> {
  const rows = await tx.rows<FileRow>(
    `select ${columns}
     from file join file_reference as reference using (tenant_id, file_id)
     where tenant_id = $1 and owner_kind = $2 and owner_id = $3
     order by created_at, file_id`,
    [tx.tenantId, kind, id],
  );
  return rows.map(fromRow);
}

/** False where there is no such file. Holds its row, so that the sweep waits and then sees the reference. */
export async function markReferenced(tx: TenantTransaction, fileId: string): Promise<boolean> {
  const marked = await tx.run(
    'update file set unreferenced_since = null where tenant_id = $1 and file_id = $2',
    [tx.tenantId, fileId],
  );
  return marked > 0;
}

export async function insertReference(
  tx: TenantTransaction,
  fileId: string,
  { kind, id }: FileOwner,
): Promise<void> {
  await tx.run(
    `insert into file_reference (tenant_id, owner_kind, owner_id, file_id)
     values ($1, $2, $3, $4) on conflict do nothing`,
    [tx.tenantId, kind, id, fileId],
  );
}

/** Of two owners that let go of one file at once, the second must see that it is the last. */
export async function lockFilesOf(
  tx: TenantTransaction,
  { kind, id }: FileOwner,
  fileId: string | undefined,
): Promise<string[]> {
  const rows = await tx.rows<{ fileId: string }>(
    `select file_id as "fileId"
     from file
     where tenant_id = $1 and file_id in (
       select file_id from file_reference
       where tenant_id = $1 and owner_kind = $2 and owner_id = $3 and ($4::uuid is null or file_id = $4)
     )
     order by file_id
     for update`,
    [tx.tenantId, kind, id, fileId ?? null],
  );
  return rows.map((row) => row.fileId);
}

export async function deleteReferences(
  tx: TenantTransaction,
  { kind, id }: FileOwner,
  fileIds: readonly string[],
): Promise<void> {
  await tx.run(
    `delete from file_reference
     where tenant_id = $1 and owner_kind = $2 and owner_id = $3 and file_id = any ($4)`,
    [tx.tenantId, kind, id, fileIds],
  );
}

export async function markUnreferenced(tx: TenantTransaction, fileIds: readonly string[]): Promise<void> {
  await tx.run(
    `update file set unreferenced_since = now()
     where tenant_id = $1 and file_id = any ($2) and unreferenced_since is null
       and not exists (
         select from file_reference as other
         where other.tenant_id = file.tenant_id and other.file_id = file.file_id
       )`,
    [tx.tenantId, fileIds],
  );
}

export interface FilePlace {
  readonly tenantId: string;
  readonly fileId: string;
}

/** Lets go of all that the organisation keeps, for the next sweep and not only after a day. */
export async function abandonFiles(tx: TenantTransaction): Promise<void> {
  const inTenant = [tx.tenantId];
  await tx.run('select from file where tenant_id = $1 order by file_id for update', inTenant);
  await tx.run('delete from file_reference where tenant_id = $1', inTenant);
  await tx.run(`update file set unreferenced_since = '-infinity' where tenant_id = $1`, inTenant);
}

/**
 * Of one tenant at a time, the longest unreferenced first, as the relay; gives their room back. A file that is being referred
 * to is looked at again once that has happened.
 */
export function deleteUnreferenced(tx: Transaction, before: Date, atMost: number): Promise<FilePlace[]> {
  return tx.rows<FilePlace>(
    `with next as (
       select tenant_id from file where unreferenced_since < $1 order by unreferenced_since limit 1
     ), gone as (
       delete from file
       where unreferenced_since < $1 and (tenant_id, file_id) in (
         select tenant_id, file_id from file join next using (tenant_id) where unreferenced_since < $1 limit $2
       )
       returning tenant_id, file_id, size_bytes
     ), given_back as (
       update file_usage set used_bytes = greatest(0, used_bytes - freed.bytes)
       from (select tenant_id, sum(size_bytes) as bytes from gone group by tenant_id) as freed
       where file_usage.tenant_id = freed.tenant_id
     )
     select tenant_id as "tenantId", file_id as "fileId" from gone`,
    [before, atMost],
  );
}

/** Those of the files that have no row. For all tenants, as the relay. */
export function listUnknown(tx: Transaction, files: readonly FilePlace[]): Promise<FilePlace[]> {
  return tx.rows<FilePlace>(
    `select tenant_id as "tenantId", file_id as "fileId"
     from unnest($1::uuid[], $2::uuid[]) as stored (tenant_id, file_id)
     where not exists (
       select from file where file.tenant_id = stored.tenant_id and file.file_id = stored.file_id
     )`,
    [files.map(({ tenantId }) => tenantId), files.map(({ fileId }) => fileId)],
  );
}

function fromRow({ sizeBytes, ...row }: FileRow): StoredFile {
  return { ...row, sizeBytes: Number(sizeBytes) };
}
