import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { newId } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import type { TestDatabase } from '@marimo/testing/database';
import {
  createFiles,
  type FileClaims,
  type FileSender,
  fileMigrations,
  folderStore,
  noQuarantine,
  type ObjectStore,
  type Quarantine,
  sweepFiles,
  sweepObjects,
} from '../src/index.ts';

export const service = 'shop';
export const schema = { schema: service, folders: [fileMigrations] };

export interface Stage {
  readonly store: ObjectStore;
  /** Where its objects lie, and everything else that is left on disk. */
  leftOnDisk(): Promise<string[]>;
  close(): Promise<void>;
}

export async function makeStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'marimo-files-'));
  return {
    store: folderStore(folder),
    async leftOnDisk() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The files of one organisation, as a service works with them. */
export function filesOn(
  db: TestDatabase,
  store: ObjectStore,
  quarantine: Quarantine = noQuarantine,
  tenantId = newId(),
  organisationLimitBytes = 10_000_000_000,
) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ service, write: (line) => lines.push(JSON.parse(line)) });
  const files = createFiles({
    service,
    database: db.database,
    store,
    quarantine,
    organisationLimitBytes,
    log,
  });
  const sender: FileSender & { userId: string } = { tenantId, userId: newId() };
  const sweeping = { service, relay: db.relay, store, log };
  return {
    files,
    sender,
    lines,
    receive: (content: string | Buffer, claims: Partial<FileClaims> = {}) =>
      files.receive(sender, Readable.from([Buffer.from(content)]), {
        name: 'note.txt',
        limitBytes: 1_000_000,
        ...claims,
      }),
    inTenant: <R>(work: Parameters<typeof db.database.inTenant<R>>[1]) =>
      db.database.inTenant(tenantId, work),
    attach: (fileId: string, owner: { kind: string; id: string }) =>
      db.database.inTenant(tenantId, (tx) => files.attach(tx, fileId, owner)),
    detach: (owner: { kind: string; id: string }, fileId?: string) =>
      db.database.inTenant(tenantId, (tx) => files.detach(tx, owner, fileId)),
    find: (fileId: string) => db.database.inTenant(tenantId, (tx) => files.find(tx, fileId)),
    sweepFiles: (before: Date) => sweepFiles(sweeping, before),
    sweepObjects: (before: Date) => sweepObjects(sweeping, before),
  };
}

/** Refuses what holds the text, as a scanner would. */
export function scannerFor(found: Buffer): Quarantine {
  return {
    async inspect(file) {
      const chunks: Buffer[] = [];
      for await (const chunk of await file.open()) chunks.push(chunk);
      return { passes: !Buffer.concat(chunks).includes(found) };
    },
  };
}
