import type { Readable } from 'node:stream';
import { Absent, FileRefused, FileRoomUsedUp, newId, Unavailable } from '@marimo/contracts';
import type { Log } from '@marimo/observability';
import {
  type Database,
  DatabaseUnavailable,
  type TenantTransaction,
  type TransactionOptions,
} from '@marimo/postgres';
import { fileNameOf, isNameOfProgram, isTypeOfProgram } from './file-name.ts';
import type { Quarantine, SuspectFile } from './quarantine.ts';
import { PassingContent } from './receive.ts';
import {
  abandonFiles,
  deleteReferences,
  type FileOwner,
  type FilePlace,
  getFile,
  getUsedBytes,
  insertFile,
  insertReference,
  listFilesOf,
  lockFilesOf,
  markReferenced,
  markUnreferenced,
  type StoredFile,
  takeRoom,
} from './store.ts';
import { type ByteRange, ObjectAbsent, type ObjectStore } from './stores/object-store.ts';

/** Who sends a file. The call of a handler has all of it but `userId`. */
export interface FileSender extends Pick<TransactionOptions, 'deadlineAt' | 'signal'> {
  readonly tenantId: string;
  /** Absent where a service stores what it has made itself. */
  readonly userId?: string;
}

export interface FileClaims {
  /** What the sender calls it; see `fileNameOf` for what becomes of it. */
  readonly name: string;
  readonly limitBytes: number;
}

/** The files of one service. */
export interface Files {
  /**
   * Stores a file: whole, inspected, and then known; or nothing of it. Nobody refers to it yet, and after a day without a
   * reference it is swept.
   *
   * Errors: FileTooLarge, FileRefused, FileRoomUsedUp; Unavailable when the store or the quarantine fails; whatever the content fails with.
   */
  receive(sender: FileSender, content: AsyncIterable<Uint8Array>, claims: FileClaims): Promise<StoredFile>;
  find(tx: TenantTransaction, fileId: string): Promise<StoredFile | undefined>;
  /**
   * Its content, or the part of it; the stream must be read to its end or destroyed.
   *
   * Errors: Absent, when it was swept meanwhile; Unavailable.
   */
  open(file: StoredFile, range?: ByteRange): Promise<Readable>;
  /**
   * From now on the owner needs the file, in the transaction that makes it so. Again is no change.
   *
   * Errors: Absent.
   */
  attach(tx: TenantTransaction, fileId: string, owner: FileOwner): Promise<void>;
  /** The owner needs this file no longer, or none. */
  detach(tx: TenantTransaction, owner: FileOwner, fileId?: string): Promise<void>;
  /** What the owner needs, the oldest first. */
  listOf(tx: TenantTransaction, owner: FileOwner): Promise<StoredFile[]>;
  /** The organisation needs none of its files any more: the next sweep takes them. */
  abandonAll(tx: TenantTransaction): Promise<void>;
}

export interface FilesOptions {
  readonly service: string;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly quarantine: Quarantine;
  /** What one organisation may keep in this service. */
  readonly organisationLimitBytes: number;
  readonly log: Log;
}

export function createFiles(options: FilesOptions): Files {
  const { service, store, log } = options;
  return {
    receive: (sender, content, claims) => receive(options, sender, content, claims),
    find: getFile,
    async open(file, range) {
      try {
        return await store.get(keyOf(service, file), range);
      } catch (error) {
        if (error instanceof ObjectAbsent) throw new Absent({ resource: 'file' });
        throw unavailable(log, error);
      }
    },
    async attach(tx, fileId, owner) {
      if (!(await markReferenced(tx, fileId))) throw new Absent({ resource: 'file' });
      await insertReference(tx, fileId, owner);
    },
    async detach(tx, owner, fileId) {
      const fileIds = await lockFilesOf(tx, owner, fileId);
      if (fileIds.length === 0) return;
      await deleteReferences(tx, owner, fileIds);
      await markUnreferenced(tx, fileIds);
    },
    listOf: listFilesOf,
    abandonAll: abandonFiles,
  };
}

export function keyOf(service: string, { tenantId, fileId }: FilePlace): string {
  return `${service}/${tenantId}/${fileId}`;
}

async function receive(
  options: FilesOptions,
  sender: FileSender,
  content: AsyncIterable<Uint8Array>,
  claims: FileClaims,
): Promise<StoredFile> {
  const { service, store, database, organisationLimitBytes: limit, log } = options;
  const { tenantId, userId, deadlineAt, signal } = sender;
  const place = { tenantId, fileId: newId() };
  const name = fileNameOf(claims.name);
  if (isNameOfProgram(name)) throw new FileRefused({ reason: 'program' });
  const time = { ...(deadlineAt !== undefined && { deadlineAt }), ...(signal !== undefined && { signal }) };
  // What counts is `takeRoom`; this only spares sending a hundred megabytes in vain.
  const used = await database.inTenant(tenantId, getUsedBytes, { ...time, readOnly: true });
  if (used >= limit) throw new FileRoomUsedUp({ used, limit });
  try {
    const file = { ...place, name, ...(await take(options, place, content, claims.limitBytes, signal)) };
    await inspect(options, file, signal);
    return await database.inTenant(
      tenantId,
      async (tx) => {
        const hasRoom = await takeRoom(tx, file.sizeBytes, limit);
        if (!hasRoom) throw new FileRoomUsedUp({ used: await getUsedBytes(tx), limit });
        return insertFile(tx, { ...file, createdBy: userId ?? null });
      },
      time,
    );
  } catch (error) {
    // A commit whose answer was lost may have happened: the sweep finds out.
    const isUnknown = error instanceof DatabaseUnavailable && error.facts.outcome === 'unknown';
    if (!isUnknown) {
      await store
        .delete(keyOf(service, place))
        .catch((why: unknown) => log.warn('a file that was given up is left to the sweep', { error: why }));
    }
    throw error;
  }
}

/** Brings the content into the store and says what it is. */
async function take(
  { service, store, log }: FilesOptions,
  place: FilePlace,
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
  signal: AbortSignal | undefined,
) {
  const passing = new PassingContent(content, limitBytes);
  try {
    await store.put(keyOf(service, place), passing, signal);
  } catch (error) {
    await passing.measured();
    if (passing.failure !== undefined) throw passing.failure.error;
    throw signal?.aborted ? signal.reason : unavailable(log, error);
  }
  return passing.measured();
}

async function inspect(
  { service, store, quarantine, log }: FilesOptions,
  file: Omit<SuspectFile, 'open'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (isTypeOfProgram(file.contentType)) throw new FileRefused({ reason: 'program' });
  const open = () => store.get(keyOf(service, file));
  const { passes } = await quarantine.inspect({ ...file, open }, signal).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : unavailable(log, error);
  });
  if (!passes) throw new FileRefused({ reason: 'quarantine' });
}

function unavailable(log: Log, error: unknown): Unavailable {
  log.warn('the file store failed', { error });
  return new Unavailable({ service: 'files' });
}
