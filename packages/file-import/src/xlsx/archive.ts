import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createInflateRaw } from 'node:zlib';
import { malformed } from '../header.ts';
import type { SpooledFile } from '../spool.ts';

/** The parts of a ZIP archive by name. Parts can be read again, and no more of them than their limit. */
export interface Archive {
  has(name: string): boolean;
  /** Errors: MalformedRequest, when it is damaged or larger than the limit. */
  text(name: string, limitBytes: number): AsyncGenerator<string, void, undefined>;
}

interface Part {
  readonly method: number;
  readonly packedBytes: number;
  readonly at: number;
}

const endBytes = 22;
const longestComment = 65_535;
const centralBytes = 46;
const localBytes = 30;
const mostParts = 10_000;
const damaged = 'it is no workbook, or is damaged; save it anew as .xlsx or as "CSV UTF-8"';

export async function openArchive(file: SpooledFile): Promise<Archive> {
  const parts = await partsOf(file);
  return {
    has: (name) => parts.has(name),
    async *text(name, limitBytes) {
      const part = parts.get(name);
      if (part === undefined) throw malformed(damaged);
      const utf8 = new TextDecoder();
      let taken = 0;
      for await (const chunk of unpacked(file, part)) {
        taken += chunk.length;
        if (taken > limitBytes) throw malformed('the workbook is too large; save the sheet as "CSV UTF-8"');
        yield utf8.decode(chunk, { stream: true });
      }
      yield utf8.decode();
    },
  };
}

async function partsOf(file: SpooledFile): Promise<Map<string, Part>> {
  const tailAt = Math.max(0, file.sizeBytes - endBytes - longestComment);
  const tail = await buffer(file.bytes(tailAt));
  const end = tail.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  if (end < 0 || end + endBytes > tail.length) throw malformed(damaged);
  const [count, length, at] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (at + length > file.sizeBytes || count > mostParts) throw malformed(damaged);
  const table = await buffer(file.bytes(at, length));
  const parts = new Map<string, Part>();
  for (let place = 0; place + centralBytes <= table.length && parts.size < count; ) {
    const nameEnd = place + centralBytes + table.readUInt16LE(place + 28);
    const name = table.toString('utf8', place + centralBytes, nameEnd);
    parts.set(name, {
      method: table.readUInt16LE(place + 10),
      packedBytes: table.readUInt32LE(place + 20),
      at: table.readUInt32LE(place + 42),
    });
    place = nameEnd + table.readUInt16LE(place + 30) + table.readUInt16LE(place + 32);
  }
  return parts;
}

async function* unpacked(file: SpooledFile, { method, packedBytes, at }: Part): AsyncGenerator<Buffer> {
  const header = await buffer(file.bytes(at, localBytes));
  if (header.length < localBytes || (method !== 0 && method !== 8)) throw malformed(damaged);
  const contentAt = at + localBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = file.bytes(contentAt, packedBytes);
  if (method === 0) {
    yield* packed;
    return;
  }
  const source = Readable.from(packed, { objectMode: false });
  const inflate = createInflateRaw();
  source.on('error', (error) => inflate.destroy(error)).pipe(inflate);
  try {
    for await (const chunk of inflate) yield chunk as Buffer;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith('Z_') ? malformed(damaged) : error;
  } finally {
    source.destroy();
    inflate.destroy();
  }
}
