import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes that arrived: in a file, so that a test of large objects needs no memory. */
export interface Blob {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly etag: string;
}

export interface BucketObject {
  readonly key: string;
  readonly blob: Blob;
  readonly modified: Date;
}

export interface BucketUpload {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly parts: Map<number, Blob>;
}

/** What lies in one bucket. */
export class Bucket {
  readonly objects = new Map<string, BucketObject>();
  readonly uploads = new Map<string, BucketUpload>();
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Bucket> {
    return new Bucket(await mkdtemp(join(tmpdir(), 'marimo-s3-')));
  }

  async receive(body: Readable): Promise<Blob> {
    const path = join(this.#folder, randomUUID());
    const [sha256, md5] = [createHash('sha256'), createHash('md5')];
    let sizeBytes = 0;
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            sizeBytes += chunk.length;
            sha256.update(chunk);
            md5.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(path),
      );
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, sizeBytes, sha256: sha256.digest('hex'), etag: `"${md5.digest('hex')}"` };
  }

  read({ path, sizeBytes }: Blob, first: number, last: number): Readable {
    return sizeBytes === 0 ? Readable.from([]) : createReadStream(path, { start: first, end: last });
  }

  text({ path }: Blob): Promise<string> {
    return readFile(path, 'utf8');
  }

  async join(parts: readonly Blob[]): Promise<Blob> {
    const path = join(this.#folder, randomUUID());
    await writeFile(path, '');
    for (const part of parts) {
      for await (const chunk of createReadStream(part.path)) await appendFile(path, chunk);
    }
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return { path, sizeBytes, sha256: '', etag: `"${randomUUID()}-${parts.length}"` };
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}
