import { Writable } from 'node:stream';
import { BadUpstream } from '@marimo/contracts';
import { ProxiedRequest } from '../proxied-request.ts';
import type { HeaderList } from '../proxy/index.ts';

/** Larger answers are neither kept nor held for several clients; they stream. */
const largestBytes = 262_144;
/** Of one request only: each client gets its own. */
const ofOneRequest = new Set(['x-request-id', 'x-marimo-attempts', 'connection', 'content-length']);

/** A whole answer, without the headers of one request and without its length, which the body tells. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** Stands in for a client's response and collects what a service answers. Of a response it has what `Attempt` uses. */
class CapturedAnswer extends Writable {
  statusCode = 0;
  readonly socket = null;
  readonly headers: HeaderList = [];
  readonly #chunks: Buffer[] = [];
  readonly #tooLarge: () => void;
  #size = 0;

  constructor(tooLarge: () => void) {
    super({ highWaterMark: largestBytes * 2, autoDestroy: false });
    this.#tooLarge = tooLarge;
  }

  get headersSent(): boolean {
    return this.statusCode !== 0;
  }

  get answer(): Answer | undefined {
    if (!this.writableEnded || this.destroyed) return undefined;
    return { status: this.statusCode, headers: this.headers, body: Buffer.concat(this.#chunks) };
  }

  writeHead(status: number, headers: HeaderList): this {
    this.statusCode = status;
    for (let at = 0; at < headers.length; at += 2) {
      const [name, value] = [headers[at] as string, headers[at + 1] as string | string[]];
      if (!ofOneRequest.has(name)) this.headers.push(name, value);
      if (name === 'content-length' && Number(value) > largestBytes) this.#tooLarge();
    }
    return this;
  }

  flushHeaders(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#size += chunk.length;
    if (this.#size > largestBytes) this.#tooLarge();
    else this.#chunks.push(chunk);
    done();
  }
}

/**
 * Sends one request on behalf of all clients that ask the same; it goes on when the first of them has left. Never
 * rejects: the reason why there is no answer, `TooLarge` among them, is returned.
 */
export async function fetchForAll(
  leader: ProxiedRequest,
  { service, deadlineMs }: { readonly service: string; readonly deadlineMs: number },
  ask: (proxied: ProxiedRequest) => Promise<void>,
): Promise<Answer | Error> {
  const captured = new CapturedAnswer(() => proxied.cancel(new TooLarge()));
  // There is no body to wait for or to discard, and the leader's connection is the leader's alone.
  const req: typeof leader.req = Object.create(leader.req, { complete: { value: true } });
  const proxied = new ProxiedRequest(req, captured as unknown as typeof leader.res, leader.requestId, false);
  proxied.caller = leader.caller;
  // A little before the waiting clients run out of time, so that a kept answer can still be sent to them.
  proxied.expireAfter(deadlineMs * 0.9);
  try {
    await ask(proxied);
    if (proxied.cancelled instanceof TooLarge) return proxied.cancelled;
    return captured.answer ?? new BadUpstream({ service });
  } catch (thrown) {
    return thrown as Error;
  } finally {
    proxied.end();
  }
}
