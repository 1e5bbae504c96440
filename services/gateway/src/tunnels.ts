import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadUpstream } from '@marimo/contracts';
import type { Pass } from '@marimo/resilience';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { refuseOnSocket } from './answer.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Upstream } from './proxy/index.ts';

/** An upgrade that has passed every check. */
export interface Admitted {
  readonly requestId: string;
  readonly upstream: Upstream;
  /** Of the instance's breaker. */
  readonly leave: Pass;
}

export interface Tunnels {
  /** Hands the connection over to the instance; from its answer on it is only bytes. */
  open(req: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void;
  readonly count: number;
  /** Cuts them all: we cannot say goodbye in the middle of other people's frames. Their clients come back elsewhere. */
  close(): void;
}

const answerWithinMs = 5_000;

/** WebSockets in the hands of http-proxy-middleware. */
export function createTunnels({ tunnels: gauge }: Pick<GatewayMetrics, 'tunnels'>): Tunnels {
  const sockets = new Set<Duplex>();
  const waiting = new WeakMap<IncomingMessage, Admitted>();
  const proxy = createProxyMiddleware({
    router: (req) => targetOf(waiting.get(req)),
    ws: true,
    changeOrigin: true,
    // Until the answer nobody reads the client's socket, so nobody sees it leave: this is what lets go of it.
    upgradeTimeout: answerWithinMs,
    on: {
      proxyReqWs: (asked, req, socket) => watch(asked, req, socket),
      error: (_, req, res) => {
        const socket = res as unknown as Duplex; // there are only upgrades here
        const admitted = waiting.get(req);
        admitted?.leave.failed();
        if (admitted === undefined) socket.destroy();
        else
          refuseOnSocket(
            socket,
            new BadUpstream({ service: admitted.upstream.instance.service }),
            admitted.requestId,
          );
      },
    },
  });

  function watch(asked: ClientRequest, req: IncomingMessage, socket: Duplex): void {
    const leave = waiting.get(req)?.leave;
    asked.once('response', ({ statusCode = 0 }) => (statusCode < 500 ? leave?.succeeded() : leave?.failed()));
    asked.once('upgrade', (_, behind) => {
      leave?.succeeded();
      waiting.delete(req);
      // The library ends one side when the other ends; when one just vanishes, it leaves the other standing.
      socket.once('close', () => behind.destroy());
      behind.once('close', () => socket.destroy());
    });
  }

  return {
    open(req, socket, head, admitted) {
      sockets.add(socket);
      gauge.set(sockets.size);
      socket.once('close', () => {
        sockets.delete(socket);
        gauge.set(sockets.size);
        admitted.leave.abandoned(); // unless it was told otherwise
      });
      waiting.set(req, admitted);
      proxy.upgrade(req, socket as Parameters<typeof proxy.upgrade>[1], head);
    },
    get count() {
      return sockets.size;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function targetOf(admitted: Admitted | undefined): string {
  if (admitted === undefined) throw new Error('A tunnel nobody has admitted');
  return admitted.upstream.origin;
}
