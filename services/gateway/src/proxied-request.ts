import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeadlineExceeded } from '@marimo/contracts';
import type { Caller } from '@marimo/service-kit';

/** Time for a client to read its answer while it is still sending a body that is discarded. */
export const lingerMs = 2_000;

/** The client hung up; this error is never sent. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** One request on its way through the gateway, from its first byte to the last of its answer. */
export class ProxiedRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly startedAt = performance.now();
  /** Headers of the answer that are the gateway's own, names and values in turn. */
  readonly ownHeaders: string[];
  /** The path as a contract writes it; never the client's own text, which would flood the metrics. */
  route = 'unmatched';
  caller: Caller | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  awaitsContinue: boolean;
  bytesSent = 0;
  /** The service broke off in the middle of its answer, and so did we. */
  broken = false;
  /** Why it ended early: the client left, or the deadline passed. */
  cancelled: Error | undefined;
  /** How long the client may leave written data untaken. */
  readonly stallMs: number;
  #stalled: NodeJS.Timeout | undefined;
  #ended = false;
  #triesAt = 0;
  #deadline: NodeJS.Timeout | undefined;
  #interrupt: ((reason: Error) => void) | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    awaitsContinue: boolean,
    stallMs = 60_000,
  ) {
    this.stallMs = stallMs;
    this.req = req;
    this.res = res;
    this.requestId = requestId;
    this.ownHeaders = ['x-request-id', requestId];
    this.awaitsContinue = awaitsContinue;
  }

  countTry(tries: number): void {
    if (tries === 1) this.#triesAt = this.ownHeaders.push('x-marimo-attempts', '') - 1;
    this.ownHeaders[this.#triesAt] = String(tries);
  }

  /** Asks a client that waits for it to send the body. */
  inviteBody(): void {
    if (this.awaitsContinue) this.res.writeContinue();
    this.awaitsContinue = false;
  }

  /** The deadline is for the answer to begin; how long it may then take is a matter of silence, not of length. */
  expireAfter(ms: number): void {
    this.#deadline = setTimeout(expire, ms, this);
  }

  /**
   * The whole answer is written. A client that does not take the rest of it keeps memory and a connection from others;
   * as only so much is ever left, it must take at least about a kilobyte a second.
   */
  allWritten(): void {
    if (this.res.writableLength === 0) return; // the system has it already: nearly always
    if (this.#ended) return; // the client has left while its body was thrown away
    this.#stalled = setTimeout(() => this.res.destroy(), this.stallMs);
  }

  /** The answer is sent, or the client has left. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#deadline);
    if (this.#stalled !== undefined) clearTimeout(this.#stalled);
    if (!this.res.writableFinished && !this.broken) this.cancel(new ClientGone('The client hung up'));
    else if (!this.req.complete && !this.req.destroyed) discardRest(this.req);
  }

  /** Ends whatever the request waits for at this moment. */
  cancel(reason: Error): void {
    if (this.cancelled !== undefined) return;
    this.cancelled = reason;
    this.#interrupt?.(reason);
  }

  /** Sets how the present step is interrupted; the step before it has ended. */
  interruptWith(interrupt: ((reason: Error) => void) | undefined): void {
    this.#interrupt = interrupt;
    if (interrupt !== undefined && this.cancelled !== undefined) interrupt(this.cancelled);
  }
}

function expire(proxied: ProxiedRequest): void {
  if (!proxied.res.headersSent) proxied.cancel(new DeadlineExceeded({}));
}

/**
 * The answer came before the body's end. What is left of the body is thrown away, for a moment: long enough for the
 * client to see the answer, and for its connection to stay good if there was not much left.
 */
function discardRest(req: IncomingMessage): void {
  if (req.httpVersionMajor === 2) return void req.destroy(); // asks the client to stop, and ends this stream only
  const timer = setTimeout(() => req.socket.destroy(), lingerMs);
  req.once('close', () => clearTimeout(timer)).resume();
}
