import { Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';

interface Entry {
  readonly name: Buffer;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly at: number;
}

/** Sizes follow the content (bit 3), and names are UTF-8 (bit 11). */
const flags = 0x0808;
const deflated = 8;
/** 1 January 1980: archives of the same content are the same. */
const dosDate = 0x0021;

/** A ZIP archive that is written while its entries are made; an entry must be smaller than 4 GiB. */
export class ZipWriter {
  readonly #entries: Entry[] = [];
  #at = 0;

  async *add(name: string, content: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Buffer> {
    const encoded = Buffer.from(name);
    const at = this.#at;
    yield this.#count(localHeader(encoded));
    let crc = 0;
    let bytes = 0;
    const measured = async function* () {
      for await (const text of content) {
        const chunk = Buffer.from(text);
        crc = crc32(chunk, crc);
        bytes += chunk.length;
        yield chunk;
      }
    };
    // Level 1 is three times as fast as the usual 6, for a fifth more bytes.
    const packer = createDeflateRaw({ level: 1 });
    const source = Readable.from(measured(), { objectMode: false });
    source.on('error', (error) => packer.destroy(error)).pipe(packer);
    let packedBytes = 0;
    try {
      for await (const chunk of packer) {
        packedBytes += (chunk as Buffer).length;
        yield this.#count(chunk as Buffer);
      }
    } finally {
      source.destroy();
      packer.destroy();
    }
    yield this.#count(numbers(0x08074b50, crc, packedBytes, bytes));
    this.#entries.push({ name: encoded, crc, packedBytes, bytes, at });
  }

  /** The table of contents; nothing can be added behind it. */
  end(): Buffer {
    const places = this.#entries.map(centralHeader);
    const length = places.reduce((sum, place) => sum + place.length, 0);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(places.length, 8);
    end.writeUInt16LE(places.length, 10);
    end.writeUInt32LE(length, 12);
    end.writeUInt32LE(this.#at, 16);
    return Buffer.concat([...places, end]);
  }

  #count(chunk: Buffer): Buffer {
    this.#at += chunk.length;
    return chunk;
  }
}

function numbers(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [place, value] of values.entries()) buffer.writeUInt32LE(value, place * 4);
  return buffer;
}

function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(deflated, 8);
  header.writeUInt16LE(dosDate, 12);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

function centralHeader({ name, crc, packedBytes, bytes, at }: Entry): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(deflated, 10);
  header.writeUInt16LE(dosDate, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(packedBytes, 20);
  header.writeUInt32LE(bytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(at, 42);
  return Buffer.concat([header, name]);
}
