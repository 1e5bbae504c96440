import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ProxiedRequest } from '../proxied-request.ts';
import { isHttp10 } from './request-headers.ts';
import { type HeaderList, readServiceHeaders } from './response-headers.ts';

/** How one try at one instance ended. */
export type Outcome =
  /** The client has the answer, or as much of it as could be had before the connection was cut. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly broken: Error | undefined;
      /** It is well, and a service behind it is not. */
      readonly isDownstreamFailure: boolean;
    }
  /** The client has nothing yet. `sent`: the instance may have seen the request. */
  | { readonly kind: 'failed'; readonly error: Error; readonly sent: boolean };

/** The instance, or something it needs, cannot serve now; its answer was thrown away for another try. */
export class TurnedAway extends Error {
  override readonly name = 'TurnedAway';
}

/** Names the service that a 502 or 503 is about. */
const failingServiceHeader = 'x-marimo-about';

/** A short answer that comes whole goes out as text: Node then writes head and body at once, for a tenth of the time. */
const wholeBytes = 16_384;

/**
 * Sends a request to one instance and passes the answer on as it comes. Never rejects.
 * `tryElsewhere` is asked when the instance turns the request away (502, 503), before the client sees that.
 */
export function attempt(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  proxied: ProxiedRequest,
  service: string,
  tryElsewhere: () => boolean,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const handler = new Attempt(proxied, service, tryElsewhere, resolve);
    proxied.interruptWith(handler.abort);
    try {
      if (proxied.cancelled === undefined) dispatcher.dispatch(request, handler);
    } catch (error) {
      handler.fail(error as Error); // undici throws at once on what it cannot send
    }
  });
}

class Attempt implements Dispatcher.DispatchHandler {
  readonly #proxied: ProxiedRequest;
  readonly #service: string;
  readonly #tryElsewhere: () => boolean;
  readonly #settle: (outcome: Outcome) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0; // of the answer, once the client has begun to get it
  #length: number | undefined;
  #isDownstreamFailure = false;
  #settled = false;

  constructor(
    proxied: ProxiedRequest,
    service: string,
    tryElsewhere: () => boolean,
    settle: (outcome: Outcome) => void,
  ) {
    this.#proxied = proxied;
    this.#service = service;
    this.#tryElsewhere = tryElsewhere;
    this.#settle = settle;
  }

  /** Called when a connection is about to carry the request; until then it stands in a queue. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown and not aborted: nothing was written, so the connection stays good for the next request.
    if (this.#proxied.cancelled !== undefined) throw this.#proxied.cancelled;
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return; // 1xx belong to that connection
    const turnedAway = status === 502 || status === 503;
    const about = headers[failingServiceHeader];
    // The service has retried the one behind it; another retry here would multiply.
    this.#isDownstreamFailure = turnedAway && about !== undefined && about !== this.#service;
    if (turnedAway && !this.#isDownstreamFailure && this.#tryElsewhere()) {
      controller.abort(new TurnedAway());
      return;
    }
    const { res, ownHeaders } = this.#proxied;
    writeHead(res, status, readServiceHeaders(status, headers, ownHeaders));
    this.#status = status;
    this.#length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
    if (this.#length === undefined) queueMicrotask(this.#flush);
  }

  /** The first byte of an event stream may be long in coming: the client learns at once that it was heard. */
  readonly #flush = (): void => {
    if (this.#proxied.bytesSent === 0 && !this.#settled) this.#proxied.res.flushHeaders();
  };

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { res } = this.#proxied;
    this.#proxied.bytesSent += chunk.length;
    if (chunk.length === this.#length && chunk.length <= wholeBytes) {
      res.end(chunk.toString('latin1'), 'latin1');
    } else if (!res.write(chunk)) holdBack(this.#proxied, controller);
  }

  /** Trailers are dropped: they were not announced to the client. */
  onResponseEnd(): void {
    if (!this.#proxied.res.writableEnded) this.#proxied.res.end();
    this.#proxied.allWritten();
    this.#answered(undefined);
  }

  onResponseError(_: unknown, error: Error): void {
    this.fail(error);
  }

  readonly abort = (reason: Error): void => {
    if (this.#controller === undefined) this.fail(reason);
    else this.#controller.abort(reason); // ends in onResponseError
  };

  fail(error: Error): void {
    if (this.#status === 0) {
      this.#end({ kind: 'failed', error, sent: this.#controller !== undefined });
    } else {
      cut(this.#proxied);
      this.#answered(error);
    }
  }

  #answered(broken: Error | undefined): void {
    this.#end({
      kind: 'answered',
      status: this.#status,
      broken,
      isDownstreamFailure: this.#isDownstreamFailure,
    });
  }

  #end(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#proxied.interruptWith(undefined);
    this.#settle(outcome);
  }
}

/** undici reads values as UTF-8; what Node then cannot write, such as a file's name, goes on as the bytes it came as. */
function writeHead(res: ServerResponse, status: number, headers: HeaderList): void {
  try {
    res.writeHead(status, headers);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_CHAR') throw error;
    res.writeHead(
      status,
      headers.map((text) => (Array.isArray(text) ? text.map(asBytes) : asBytes(text))),
    );
  }
}

function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The client reads more slowly than the instance sends: the instance waits, not our memory. */
function holdBack({ res, stallMs }: ProxiedRequest, controller: Dispatcher.DispatchController): void {
  controller.pause();
  // A client that takes nothing for so long holds a connection to a service for nothing.
  const stalled = setTimeout(() => res.destroy(), stallMs);
  const end = () => clearTimeout(stalled);
  res.once('close', end);
  res.once('drain', () => {
    end();
    res.off('close', end);
    controller.resume();
  });
}

/** Half an answer must look like half an answer, never like the end of a whole one. */
function cut(proxied: ProxiedRequest): void {
  const { req, res } = proxied;
  proxied.broken = proxied.cancelled === undefined;
  // HTTP/1.0 takes a plain close for the end of the body; a reset it does not.
  if (isHttp10(req)) res.socket?.resetAndDestroy();
  res.destroy();
}
