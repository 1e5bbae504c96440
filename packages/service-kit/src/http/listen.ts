import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

const maxHeaderBytes = 16 * 1024;
const maxHeaders = 100;
/** A connection on which nothing was asked for so long was opened ahead. */
const aheadMs = 1_000;

export interface ServerLimits {
  /** For the whole head of a request; 10 s unless told. */
  readonly headersTimeoutMs?: number;
  /** For the whole request, its body included; longer than the longest deadline. */
  readonly requestTimeoutMs?: number;
}

/** A server with tight limits against slow, huge or half-open clients. Node's own defaults are far looser. */
export function createHardenedServer(handler: RequestListener, limits: ServerLimits = {}): Server {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 60_000 } = limits;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Longer than any caller keeps an idle connection, so that the server never closes one under a request.
      keepAliveTimeout: 70_000,
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
      requireHostHeader: true,
    },
    handler,
  );
  server.maxHeadersCount = maxHeaders; // one more is a 431 from Node itself, as are too many bytes
  server.timeout = requestTimeoutMs; // a reader that takes nothing is cut off too
  server.on('checkContinue', handler); // so that a body is asked for only once it is needed
  return server;
}

/** What the kit needs to listen with a server, drain it and close it: Node's own for HTTP, or a front of several. */
export interface FrontServer extends NetServer {
  /** Ends the connections on which nothing is running. */
  closeIdleConnections(): void;
  closeAllConnections(): void;
}

export interface Listening {
  readonly address: AddressInfo;
  /** Takes no new connection, lets what runs finish, and cuts off what is left when the budget is spent. */
  close(budgetMs: number): Promise<void>;
}

export async function listen(server: FrontServer, port: number, host: string): Promise<Listening> {
  const open = new Map<Socket, number>();
  server.on('connection', (socket) => {
    open.set(socket, performance.now());
    socket.once('close', () => open.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening'); // rejects when it fails

  /**
   * Closes connections that became idle after their last answer, and those opened ahead that never carried a request. A
   * new connection is about to carry one.
   */
  const closeUnused = () => {
    server.closeIdleConnections();
    const before = performance.now() - aheadMs;
    for (const [socket, openedAt] of open) if (socket.bytesRead === 0 && openedAt < before) socket.destroy();
  };
  return {
    address: server.address() as AddressInfo,
    async close(budgetMs) {
      const closed = once(server, 'close');
      // Right after a poll of the network: connections not yet accepted, and requests not yet read, would otherwise be
      // reset with what closes here.
      await turn(); // the first may be in the middle of a poll
      await turn();
      server.close();
      const sweep = setInterval(() => setImmediate(closeUnused), 50);
      const cut = setTimeout(() => server.closeAllConnections(), budgetMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
