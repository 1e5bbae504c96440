import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';

/** Beyond this nobody looks: some programs write what tells their kind at the end of an archive. */
const mostLookedAt = 16 * 1024 * 1024;
const unknown = 'application/octet-stream';

/**
 * Finds the type of a file from its content alone, while it passes by. Texts are told by being UTF-8 throughout; one that
 * a browser would draw as a page or a picture is named as such, so that nobody takes it for plain text.
 */
export class TypeFinder {
  readonly #feed = new Feed(); // a stream of Node: the reader of the other kind does not work under Jest
  readonly #text = new TextCheck();
  readonly #found: Promise<string | undefined>;
  #isDone = false;
  #fedBytes = 0;

  constructor() {
    this.#found = binaryTypeOf(this.#feed.readable)
      .catch(() => undefined) // broken in itself; a type for it would be a guess
      .finally(() => {
        this.#isDone = true;
      });
  }

  async take(chunk: Uint8Array): Promise<void> {
    this.#text.take(chunk);
    if (this.#isDone || this.#fedBytes >= mostLookedAt || chunk.length === 0) return;
    this.#fedBytes += chunk.length;
    // A reader that knows enough asks for no more.
    await Promise.race([this.#feed.give(chunk), this.#found]);
    if (this.#fedBytes >= mostLookedAt) this.#feed.close();
  }

  /** To be called once, also when the content has failed. */
  async end(): Promise<string> {
    this.#feed.close();
    const binary = await this.#found;
    if (binary === 'application/xml' || binary === undefined) return this.#text.typeOr(binary ?? unknown);
    return binary;
  }
}

/** Loads what knows the formats when the first file comes. */
async function binaryTypeOf(content: Readable): Promise<string | undefined> {
  const [{ fileTypeFromTokenizer }, { fromStream }] = await Promise.all([
    import('file-type'),
    import('strtok3'),
  ]);
  return (await fileTypeFromTokenizer(await fromStream(content)))?.mime;
}

/** A stream that holds one chunk at a time. */
class Feed {
  readonly readable = new Readable({ read: () => this.#wanted.resolve() });
  #wanted = Promise.withResolvers<void>();

  /** Resolves when more is wanted. */
  give(chunk: Uint8Array): Promise<void> {
    this.#wanted = Promise.withResolvers();
    this.readable.push(chunk);
    return this.#wanted.promise;
  }

  close(): void {
    this.readable.push(null);
  }
}

const markup: readonly (readonly [type: string, begins: RegExp])[] = [
  ['image/svg+xml', /<svg[\s>]/i],
  ['text/html', /<(?:!doctype\s+html|html|head|body|script|iframe|style|link|meta|form|object|embed)[\s>/]/i],
];

class TextCheck {
  #isText = true;
  #beginning = '';
  #open: Uint8Array = new Uint8Array(0);
  #isEmpty = true;

  take(chunk: Uint8Array): void {
    if (!this.#isText || chunk.length === 0) return;
    this.#isEmpty = false;
    const bytes = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk]);
    const whole = bytes.length - unfinishedAtEnd(bytes);
    this.#isText = isUtf8(bytes.subarray(0, whole)) && !hasControls(bytes);
    this.#open = bytes.slice(whole); // a copy: the rest need not stay in memory
    if (this.#beginning.length < 4096)
      this.#beginning += Buffer.from(bytes.subarray(0, Math.min(whole, 4096)));
  }

  typeOr(binary: string): string {
    if (this.#isEmpty || !this.#isText || this.#open.length > 0) return binary;
    const [type] = markup.find(([, begins]) => begins.test(this.#beginning)) ?? [];
    return type ?? (binary === unknown ? 'text/plain' : binary);
  }
}

/** How many bytes at the end begin a character that goes on in the next chunk. */
function unfinishedAtEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? back : 0;
  }
  return 0;
}

/** Texts have tabs, ends of lines and pages, and no other signs without a shape. */
function hasControls(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && (byte < 0x09 || byte > 0x0d)) return true;
  }
  return false;
}
