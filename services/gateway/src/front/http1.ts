import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HeadersTooLarge, MalformedRequest, newId } from '@marimo/contracts';
import { answerOwedOn, endSocket, refuseOnSocket } from '../answer.ts';
import { headerLimitBytes } from '../proxy/index.ts';
import type { FrontLimits } from './limits.ts';
import type { FrontParts } from './parts.ts';
import { beginRequest, takeRequest } from './take.ts';

/** The HTTP/1.1 half of the front; the server listens itself where there is no TLS. */
export interface Http1 {
  readonly server: Server;
  /** Says with the answers that are on their way that their connections end with them. */
  announceEnd(): void;
}

export function createHttp1(given: FrontParts, { headMs, idleMs, stallMs }: FrontLimits): Http1 {
  const parts = { ...given, stallMs };
  const limits = {
    maxHeaderSize: headerLimitBytes,
    headersTimeout: headMs,
    requestTimeout: 600_000, // longer than any route's deadline, which ends a slow body much earlier
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(1_000, headMs),
    requireHostHeader: false, // refused by us, as a problem
    optimizeEmptyRequests: true, // no stream is set up for a body that does not come
  };
  const begin = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => {
    if (parts.draining()) res.shouldKeepAlive = false;
    beginRequest(parts, takeRequest(parts, req, res, awaitsContinue));
  };
  const server = createServer({ ...limits, shouldUpgradeCallback: asksForWebSocket }, (req, res) =>
    begin(req, res, false),
  );
  // Connections, not answers: a set that changes with every request takes a tenth of the processor for garbage alone.
  const connections = new Set<Duplex>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('checkContinue', (req, res) => begin(req, res, true));
  server.on('checkExpectation', (req, res) => {
    const errors = [{ pointer: 'expect', detail: 'only 100-continue can be expected' }];
    parts.fail(takeRequest(parts, req, res, true), new MalformedRequest({ errors }));
  });
  server.on('upgrade', parts.upgrade);
  server.on('clientError', refuseUnreadable);
  return {
    server,
    announceEnd() {
      for (const socket of connections) {
        const answer = answerOwedOn(socket);
        if (answer !== undefined) answer.shouldKeepAlive = false;
      }
    },
  };
}

/** Other upgrades are offers that may be passed over (RFC 9110 section 7.8): `h2c` comes with ordinary requests. */
function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** What the parser refused: there is no request to answer, only a socket. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Words of ours in the middle of another answer would be taken for a part of it.
  const isAnswering = answerOwedOn(socket)?.headersSent === true;
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering) {
    socket.destroy();
  } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    endSocket(socket, 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  } else if (error.code === 'HPE_HEADER_OVERFLOW') {
    refuseOnSocket(socket, new HeadersTooLarge({ limit: headerLimitBytes }), newId());
  } else {
    const errors = [{ pointer: 'request', detail: 'it does not follow HTTP/1.1' }];
    refuseOnSocket(socket, new MalformedRequest({ errors }), newId());
  }
}
