import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  ObjectAbsent,
  type ObjectStore,
  requireKey,
  requirePrefix,
  type StoredObject,
  untilAborted,
} from './object-store.ts';

/** Where files grow until they are whole; no key begins with a dot. */
const incoming = '.incoming';

/** Objects as files of one folder, each under the path that its key says. For one machine; several processes may share it. */
export function folderStore(folder: string): ObjectStore {
  const pathOf = (key: string) => {
    requireKey(key);
    return join(folder, ...key.split('/'));
  };
  return {
    async put(key, content, signal) {
      const path = pathOf(key);
      const draft = join(folder, incoming, randomUUID());
      await makeFolder(dirname(draft));
      try {
        await writeWhole(draft, content, signal);
        await makeFolder(dirname(path));
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
    },
    async get(key, range) {
      const file = await open(pathOf(key)).catch((error: unknown) => {
        throw isAbsent(error) ? new ObjectAbsent(key) : error;
      });
      return readingOf(file, range);
    },
    async stat(key) {
      const path = pathOf(key);
      return statOf(key, path);
    },
    async delete(key) {
      await rm(pathOf(key), { force: true });
    },
    list(prefix) {
      requirePrefix(prefix);
      return below(folder, prefix);
    },
    deleteUnfinished: (before) => deleteDrafts(join(folder, incoming), before),
    close: async () => {},
  };
}

async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of untilAborted(content, signal)) {
      await file.writeFile(chunk); // all of it; `write` may stop early
    }
    signal?.throwIfAborted();
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The names of new folders must reach the disk as well as the file's own. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function readingOf(file: FileHandle, range: { first: number; last: number } | undefined): Readable {
  return createReadStream('', {
    fd: file,
    highWaterMark: 256 * 1024,
    ...(range !== undefined && { start: range.first, end: range.last }),
  });
}

async function statOf(key: string, path: string): Promise<StoredObject | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { key, sizeBytes: found.size, storedAt: found.mtime } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function* below(folder: string, prefix: string): AsyncGenerator<StoredObject> {
  for await (const { name, isFolder } of entriesOf(join(folder, prefix))) {
    const key = prefix + name;
    if (name.startsWith('.')) continue;
    if (isFolder) yield* below(folder, `${key}/`);
    else {
      const found = await statOf(key, join(folder, key));
      if (found !== undefined) yield found; // else it went meanwhile
    }
  }
}

async function deleteDrafts(folder: string, before: Date): Promise<number> {
  let deleted = 0;
  for await (const { name } of entriesOf(folder)) {
    const path = join(folder, name);
    const draft = await statOf(name, path); // the time of its last byte: an upload that still grows is not old
    if (draft === undefined || draft.storedAt >= before) continue;
    await rm(path, { force: true });
    deleted += 1;
  }
  return deleted;
}

async function* entriesOf(folder: string): AsyncGenerator<{ name: string; isFolder: boolean }> {
  try {
    for await (const entry of await opendir(folder)) {
      yield { name: entry.name, isFolder: entry.isDirectory() };
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** Also where a part of the path is a file and not a folder. */
function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
