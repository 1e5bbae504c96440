import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { MalformedRequest } from '@marimo/contracts';
import { headerLimitBytes, headerLimitCount } from '../proxy/index.ts';
import type { FrontLimits } from './limits.ts';
import type { FrontParts } from './parts.ts';
import { beginRequest, takeRequest } from './take.ts';

/** The HTTP/2 half of the front: connections whose TLS handshake chose it are handed over. */
export interface Http2 {
  readonly server: Http2Server;
  /** Asks every client to open no more streams here; those that are open go on. */
  announceEnd(): void;
  /** Ends the connections on which no stream is open, and the others once theirs are done. */
  endIdle(): void;
}

const pseudoHeaders = 4; // :method, :scheme, :authority, :path

/**
 * nghttp2 refuses what RFC 9113 section 8 calls malformed before we see it (upper case, headers of a connection, other
 * bytes than the length says, line ends in values), and keeps its own limits on CONTINUATION frames. The rest is here.
 */
export function createHttp2(given: FrontParts, limits: FrontLimits): Http2 {
  const parts = { ...given, stallMs: limits.stallMs };
  const sessions = new Set<ServerHttp2Session>();
  const options = {
    Http2ServerRequest: StreamRequest as typeof Http2ServerRequest,
    Http2ServerResponse: StreamResponse as unknown as typeof Http2ServerResponse,
    settings: { maxConcurrentStreams: limits.streams, maxHeaderListSize: headerLimitBytes },
    maxHeaderListPairs: headerLimitCount + pseudoHeaders,
    streamResetBurst: limits.resets.burst,
    streamResetRate: limits.resets.perSecond,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSettings: 32,
    maxOutstandingPings: 10,
    maxSessionMemory: 10, // MB, of all that waits for this client
  };
  const server = createServer(options, (req, res) => begin(req, res, false));
  const begin = (req: Http2ServerRequest, res: Http2ServerResponse, awaitsContinue: boolean) =>
    beginRequest(parts, takeRequest(parts, alike(req), alike(res), awaitsContinue));
  server.on('checkContinue', (req, res) => begin(req, res, true));
  server.on('checkExpectation', (req: Http2ServerRequest, res: Http2ServerResponse) => {
    const errors = [{ pointer: 'expect', detail: 'only 100-continue can be expected' }];
    parts.fail(takeRequest(parts, alike(req), alike(res), true), new MalformedRequest({ errors }));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    if (parts.draining()) announceEndOf(session);
    limitIdleness(session, limits);
    limitControlFrames(session, limits.controlFrames);
  });
  server.on('sessionError', () => {}); // the client's doing; Node has ended the connection
  return {
    server,
    announceEnd() {
      for (const session of sessions) announceEndOf(session);
    },
    endIdle() {
      for (const session of sessions) if (!session.closed) session.close();
    },
  };
}

/** RFC 9113 section 6.8: first a warning that refuses nothing, because requests are on their way. */
function announceEndOf(session: ServerHttp2Session): void {
  if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
}

/** Bytes that open no stream are no life: neither silence nor half a header block keeps a connection. */
function limitIdleness(session: ServerHttp2Session, { headMs, idleMs }: FrontLimits): void {
  let open = 0;
  let timer = setTimeout(end, headMs);
  function end(): void {
    session.close(); // tells the client, as it may be in good faith
    timer = setTimeout(() => session.destroy(), 1_000);
  }
  session.on('stream', (stream: ServerHttp2Stream) => {
    open += 1;
    clearTimeout(timer);
    stream.once('close', () => {
      open -= 1;
      if (open === 0 && !session.closed) timer = setTimeout(end, idleMs);
    });
  });
  session.once('close', () => clearTimeout(timer));
}

/** Each must be answered and opens nothing: a flood of them would be wasted work (CVE-2019-9512, CVE-2019-9515). */
function limitControlFrames(
  session: ServerHttp2Session,
  { burst, perSecond }: FrontLimits['controlFrames'],
): void {
  let left = burst;
  let at = performance.now();
  const count = () => {
    const now = performance.now();
    left = Math.min(burst, left + ((now - at) * perSecond) / 1_000) - 1;
    at = now;
    if (left < 0 && !session.destroyed)
      session.destroy(new Error('Too many control frames'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  session.on('ping', count);
  session.on('remoteSettings', count);
}

/** Node's compatible request, with what a proxied asks of HTTP/1.1's and Node's does not have. */
class StreamRequest extends Http2ServerRequest {
  /**
   * A stream that was reset ends for Node like one that is complete, and half an upload would be taken for a whole one.
   * A body that is shorter than was stated comes here as such a stream: nghttp2 resets it. For a longer one it ends the
   * whole connection, and all of its streams come here.
   */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    const { closed, aborted, rstCode } = this.stream;
    const isWhole = !closed && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
    if (chunk !== null || isWhole) return super.push(chunk, encoding);
    super.destroy(); // ends no reader's body, and is read no more, which Node asserts
    return false;
  }

  /** The rest of the body is not read: the client is told, and the connection stays usable for its other streams. */
  override destroy(_error?: Error): this {
    this.stream.close(constants.NGHTTP2_NO_ERROR);
    return this;
  }
}

class StreamResponse extends Http2ServerResponse {
  constructor(stream: ServerHttp2Stream, ...rest: unknown[]) {
    // @ts-expect-error: its type tells of one argument, Node gives it two
    super(stream, ...rest);
    // The answer is sent, and the rest of the body is not read: "please stop" (RFC 9113 section 8.1).
    stream.once('finish', () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  override end(...args: unknown[]): this {
    // Node takes a body after the headers of a HEAD for a mistake of ours.
    if (this.req.method === 'HEAD' && typeof args[0] !== 'function') args = [];
    return super.end(...(args as []));
  }

  /** Half an answer must look like half an answer: Node would end the stream without an error. */
  override destroy(_error?: Error): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return this;
  }
}

/** Node finishes the stream of an answer also when its client has taken it back. */
Object.defineProperty(StreamResponse.prototype, 'writableFinished', {
  get(this: StreamResponse) {
    const { stream } = this;
    return stream.writableFinished && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
  },
});

/** The proxied uses what both kinds have in common, and `StreamRequest` and `StreamResponse` fill the gaps. */
function alike(message: Http2ServerRequest): IncomingMessage;
function alike(message: Http2ServerResponse): ServerResponse;
function alike(message: unknown): unknown {
  return message;
}
