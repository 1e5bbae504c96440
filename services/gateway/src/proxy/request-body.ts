import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BodyTooLarge } from '@marimo/contracts';
import type { ProxiedRequest } from '../proxied-request.ts';

/** Bodies up to this length are read before they are sent on: a slow client then holds no upstream connection, and a retry can repeat them. */
const heldBytes = 65_536;

export type BodyShape =
  | { readonly kind: 'none' }
  /** Short and of known length. */
  | { readonly kind: 'held'; readonly length: number }
  | { readonly kind: 'streamed'; readonly length: number | undefined };

/** How the request's body will travel; refuses one that says itself that it is too large. */
export function bodyShape(req: IncomingMessage, limit: number): BodyShape {
  if (req.headers['transfer-encoding'] !== undefined) return { kind: 'streamed', length: undefined };
  const stated = req.headers['content-length'];
  if (stated === undefined) {
    // In HTTP/2 a body needs neither header: a flag of the frame says whether one follows.
    return follows(req) ? { kind: 'streamed', length: undefined } : { kind: 'none' };
  }
  const length = Number(stated); // the parser took digits only
  if (length > limit) throw new BodyTooLarge({ limit });
  if (length === 0) return { kind: 'none' };
  return length <= heldBytes ? { kind: 'held', length } : { kind: 'streamed', length };
}

function follows(
  req: IncomingMessage & { readonly stream?: { readonly endAfterHeaders: boolean } },
): boolean {
  return req.stream !== undefined && !req.stream.endAfterHeaders;
}

/** Reads a short body whole. Rejects when the proxied is cancelled before its end. */
export function readHeld(proxied: ProxiedRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    proxied.interruptWith(reject);
    proxied.req.on('data', (chunk: Buffer) => chunks.push(chunk));
    proxied.req.once('end', () => {
      proxied.interruptWith(undefined);
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
  });
}

/**
 * A long body on its way. undici destroys the body it was given when a service answers early or breaks off; given the
 * request itself it would cut the client off before our answer, so it is given this.
 */
export class StreamedBody extends Readable {
  readonly #req: IncomingMessage;
  readonly #limit: number;
  #received = 0;
  /** Nothing was taken yet, so another try may still send all of it. */
  untouched = true;

  constructor(req: IncomingMessage, limit: number) {
    super({ highWaterMark: heldBytes });
    this.#req = req;
    this.#limit = limit;
  }

  override _read(): void {
    if (this.untouched) {
      this.untouched = false;
      this.#req.on('data', this.#take).once('end', this.#finish).once('error', this.#fail);
    }
    this.#req.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#req.off('data', this.#take).off('end', this.#finish).off('error', this.#fail);
    if (!this.untouched) this.#req.pause();
    done(error);
  }

  readonly #take = (chunk: Buffer): void => {
    this.#received += chunk.length;
    if (this.#received > this.#limit) this.destroy(new BodyTooLarge({ limit: this.#limit }));
    else if (!this.push(chunk)) this.#req.pause();
  };
  readonly #finish = (): void => {
    this.push(null);
  };
  readonly #fail = (error: Error): void => {
    this.destroy(error);
  };
}
