import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that has arrived whole and can be read from its start as often as needed. */
export interface SpooledFile {
  bytes(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Keeps what arrives on disk instead of in memory. The file has no name any more, so nothing is left after a crash. */
export async function spool(
  stream: AsyncIterable<Buffer>,
  see: (chunk: Buffer) => void,
): Promise<SpooledFile> {
  const path = join(tmpdir(), `marimo-import-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    for await (const chunk of stream) {
      see(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    bytes: () => bytesOf(file),
    close: () => file.close(),
  };
}

const chunkBytes = 64 * 1024;

/** Not the handle's own stream: leaving that early closes the handle. */
async function* bytesOf(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
