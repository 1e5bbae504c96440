import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { HeaderList } from '../proxy/index.ts';

/** Of one request only: they are given anew to everyone who gets the answer. */
const ofOneRequest = new Set(['x-request-id', 'x-marimo-attempts', 'connection', 'content-length']);

/** A whole answer, for everyone who asked the same. */
export interface Answer {
  readonly status: number;
  /** Without those of one request, and without the length, which the body tells. */
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/**
 * Stands where a client's response would, and keeps what a service answers. It has what the way to a service uses of a
 * response, and is never slow.
 */
export class CapturedAnswer extends EventEmitter {
  readonly #limitBytes: number;
  readonly #tooLarge: () => void;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers: HeaderList = [];
  #size = 0;
  statusCode = 0;
  writableEnded = false;
  destroyed = false;
  readonly socket = null;
  readonly writableLength = 0;

  /** @param tooLarge called once when it will be longer than the limit; what comes after is thrown away */
  constructor(limitBytes: number, tooLarge: () => void) {
    super();
    this.#limitBytes = limitBytes;
    this.#tooLarge = tooLarge;
  }

  /** As the passage takes it. */
  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  get headersSent(): boolean {
    return this.#status !== 0;
  }

  get writableFinished(): boolean {
    return this.writableEnded;
  }

  /** Undefined while it is not whole. */
  get answer(): Answer | undefined {
    if (!this.writableEnded || this.destroyed) return undefined;
    return { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) };
  }

  writeHead(status: number, headers: HeaderList): this {
    this.#status = status;
    this.statusCode = status;
    for (let at = 0; at < headers.length; at += 2) {
      const [name, value] = [headers[at] as string, headers[at + 1] as string | string[]];
      if (!ofOneRequest.has(name)) this.#headers.push(name, value);
      if (name === 'content-length') this.#count(Number(value) - this.#size);
    }
    this.#size = 0;
    return this;
  }

  flushHeaders(): void {}

  write(chunk: string | Buffer, encoding?: BufferEncoding): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#count(bytes.length);
    if (this.#size <= this.#limitBytes) this.#chunks.push(bytes);
    return true;
  }

  end(chunk?: string | Buffer, encoding?: BufferEncoding): this {
    if (chunk !== undefined) this.write(chunk, encoding);
    this.writableEnded = true;
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    return this;
  }

  #count(bytes: number): void {
    const before = this.#size;
    this.#size += bytes;
    if (before <= this.#limitBytes && this.#size > this.#limitBytes) this.#tooLarge();
  }
}
