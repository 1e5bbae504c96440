import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that has arrived whole and can be read from its start as often as needed. */
export interface SpooledFile {
  readonly sizeBytes: number;
  /** All of it, or `length` bytes from a place on. */
  bytes(from?: number, length?: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Keeps what arrives on disk instead of in memory. The file has no name any more, so nothing is left after a crash. */
export async function spool(
  stream: AsyncIterable<Buffer>,
  see: (chunk: Buffer) => void = () => {},
): Promise<SpooledFile> {
  const path = join(tmpdir(), `marimo-import-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  let sizeBytes = 0;
  try {
    await unlink(path);
    for await (const chunk of stream) {
      see(chunk);
      sizeBytes += chunk.length;
      await file.writeFile(chunk);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    sizeBytes,
    bytes: (from = 0, length = sizeBytes - from) => bytesOf(file, from, from + length),
    close: () => file.close(),
  };
}

const chunkBytes = 64 * 1024;

/** Not the handle's own stream: leaving that early closes the handle. */
async function* bytesOf(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = from; at < to; ) {
    const wanted = Math.min(chunkBytes, to - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
