import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AttemptFailure } from './retry.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Exchanged =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | {
      readonly kind: 'failed';
      readonly failure: Extract<AttemptFailure, 'not-sent' | 'no-answer' | 'broken-answer'>;
      readonly error: Error;
    };

export interface ExchangeOptions {
  /** When it fires the connection is given up, and the promise resolves at once. */
  readonly signal: AbortSignal;
  readonly maxReplyBytes: number;
}

export class ReplyTooLarge extends Error {
  override readonly name = 'ReplyTooLarge';
}

/** Sends one request over one connection and reads the whole answer. Never rejects; knows how far it came. */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { signal, maxReplyBytes }: ExchangeOptions,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const handler = new Exchange(maxReplyBytes, (exchanged) => {
      signal.removeEventListener('abort', onAbort);
      resolve(exchanged);
    });
    const onAbort = () => handler.giveUp(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      handler.giveUp(error as Error); // undici throws at once on what it cannot send
    }
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #maxReplyBytes: number;
  readonly #settle: (exchanged: Exchanged) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #given: Error | undefined;
  #settled = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxReplyBytes: number, settle: (exchanged: Exchanged) => void) {
    this.#maxReplyBytes = maxReplyBytes;
    this.#settle = settle;
  }

  /** Called when a connection is about to carry the request; until then it stands in a queue and nothing is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown and not aborted: the connection stays good for the next request.
    if (this.#given !== undefined) throw this.#given;
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // 1xx belong to that connection
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#maxReplyBytes) this.#chunks.push(chunk);
    else controller.abort(new ReplyTooLarge(`over ${this.#maxReplyBytes} bytes`));
  }

  onResponseEnd(): void {
    const answer = { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) };
    this.#end({ kind: 'answered', answer });
  }

  onResponseError(_: unknown, error: Error): void {
    this.#fail(error);
  }

  giveUp(reason: Error): void {
    this.#given = reason;
    this.#controller?.abort(reason);
    this.#fail(reason);
  }

  #fail(error: Error): void {
    const answering = this.#status === 0 ? 'no-answer' : 'broken-answer';
    this.#end({ kind: 'failed', failure: this.#controller === undefined ? 'not-sent' : answering, error });
  }

  #end(exchanged: Exchanged): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks = [];
    this.#settle(exchanged);
  }
}
