import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HeadersTooLarge, MalformedRequest, newId } from '@marimo/contracts';
import { endSocket, refuseOnSocket } from './answer.ts';
import { Passage } from './passage.ts';
import { headerLimitBytes } from './proxy/index.ts';
import { requestIdOf } from './request-id.ts';

export interface ServerParts {
  readonly handle: (passage: Passage) => Promise<void>;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Called once a request is over, however it ended. */
  readonly record: (passage: Passage) => void;
  readonly draining: () => boolean;
  readonly fail: (passage: Passage, thrown: unknown) => void;
}

const limits = {
  maxHeaderSize: headerLimitBytes,
  headersTimeout: 10_000,
  requestTimeout: 600_000, // longer than any route's deadline, which ends a slow body much earlier
  keepAliveTimeout: 75_000, // longer than the load balancers in front keep theirs
  connectionsCheckingInterval: 1_000,
  requireHostHeader: false, // refused by us, as a problem
};

/** The listener of the gateway: everything that arrives becomes a passage, or is answered on the bare socket. */
export function createGatewayServer(parts: ServerParts): Server {
  const take = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): Passage => {
    const passage = new Passage(req, res, requestIdOf(req), awaitsContinue);
    if (parts.draining()) passage.ownHeaders.push('connection', 'close');
    res.on('close', () => {
      passage.end();
      parts.record(passage);
    });
    return passage;
  };
  const begin = (passage: Passage) => {
    parts.handle(passage).catch((thrown: unknown) => parts.fail(passage, thrown));
  };

  const server = createServer({ ...limits, shouldUpgradeCallback: asksForWebSocket }, (req, res) => {
    begin(take(req, res, false));
  });
  server.on('checkContinue', (req, res) => begin(take(req, res, true)));
  server.on('checkExpectation', (req, res) => {
    const errors = [{ pointer: 'expect', detail: 'only 100-continue can be expected' }];
    parts.fail(take(req, res, true), new MalformedRequest({ errors }));
  });
  server.on('upgrade', parts.upgrade);
  server.on('clientError', refuseUnreadable);
  return server;
}

/** Other upgrades are offers that may be passed over (RFC 9110 section 7.8): `h2c` comes with ordinary requests. */
function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** What the parser refused: there is no request to answer, only a socket. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
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

/** Words of ours in the middle of another answer would be taken for a part of it. Node keeps it under this name. */
function isAnswering(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
