import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadUpstream, Unauthenticated, Unavailable } from '@marimo/contracts';
import { refusals } from '@marimo/contracts/gateway';
import type { Pass } from '@marimo/resilience';
import type { Caller, CallerVerifier } from '@marimo/service-kit';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { refuseOnSocket } from './answer.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Upstream } from './proxy/index.ts';
import { Tunnel } from './tunnel.ts';

/** An upgrade that has passed every check. */
export interface Admitted {
  readonly requestId: string;
  readonly upstream: Upstream;
  /** Whose tunnel it is; undefined where the service itself asks who it is. */
  readonly caller: Caller | undefined;
  /** Of the instance's breaker. */
  readonly leave: Pass;
}

export interface TunnelLimits {
  /** Each holds two sockets and some memory for as long as it is open. */
  readonly inAll: number;
  readonly perTenant: number;
  readonly perSession: number;
  readonly idleMs: number;
  /** How often everybody's token is looked at again. */
  readonly lookAgainMs: number;
}

export interface TunnelParts {
  readonly metrics: Pick<GatewayMetrics, 'tunnels'>;
  readonly verifier: CallerVerifier;
  readonly limits: TunnelLimits;
}

export interface Tunnels {
  /** Throws `TooManySockets` or `Unavailable` when no further one may be opened for this caller. */
  requireRoom(service: string, caller: Caller | undefined): void;
  /** Hands the connection over to the instance; from its answer on it is only bytes. Throws as `requireRoom` does. */
  open(req: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void;
  /** Closes them all: their clients dial again, and reach another gateway or this one after its restart. */
  close(): void;
}

interface OpenTunnel {
  readonly caller: Caller | undefined;
  /** Undefined until the service has answered. */
  tunnel: Tunnel | undefined;
}

const answerWithinMs = 5_000;

/** WebSockets in the hands of http-proxy-middleware. */
export function createTunnels({ metrics: { tunnels: gauge }, verifier, limits }: TunnelParts): Tunnels {
  const open = new Map<Duplex, OpenTunnel>();
  const waiting = new WeakMap<IncomingMessage, Admitted>();
  const proxy = createProxyMiddleware({
    router: (req) => targetOf(waiting.get(req)),
    ws: true,
    changeOrigin: true,
    // Until the answer the client's socket is not read, so its end goes unnoticed: the timeout releases it.
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
  const lookAgain = setInterval(() => {
    for (const held of open.values()) void closeIfSignedOut(held, verifier);
  }, limits.lookAgainMs).unref();

  function watch(asked: ClientRequest, req: IncomingMessage, socket: Duplex): void {
    const leave = waiting.get(req)?.leave;
    asked.once('response', ({ statusCode = 0 }) => (statusCode < 500 ? leave?.succeeded() : leave?.failed()));
    asked.once('upgrade', (_, behind) => {
      leave?.succeeded();
      waiting.delete(req);
      const held = open.get(socket);
      if (held === undefined) behind.destroy();
      // Once the library has tied both together: to listen before would take the first bytes from the client.
      else
        process.nextTick(() => {
          held.tunnel = new Tunnel(socket, behind, limits.idleMs);
        });
    });
  }

  function requireRoom(service: string, caller: Caller | undefined): void {
    if (open.size >= limits.inAll) throw new Unavailable({ service }, { retryAfterSeconds: 1 });
    if (caller === undefined) return;
    // Counted each time: opening is rare, and a separate counter could drift from the list.
    let [ofTenant, ofSession] = [0, 0];
    for (const { caller: other } of open.values()) {
      if (other?.tenantId !== caller.tenantId) continue;
      ofTenant += 1;
      if (other.sessionId === caller.sessionId) ofSession += 1;
    }
    if (ofSession >= limits.perSession) throw new refusals.TooManySockets({ limit: limits.perSession });
    if (ofTenant >= limits.perTenant) throw new refusals.TooManySockets({ limit: limits.perTenant });
  }

  return {
    requireRoom,
    open(req, socket, head, admitted) {
      requireRoom(admitted.upstream.instance.service, admitted.caller); // others may have come in the meantime
      open.set(socket, { caller: admitted.caller, tunnel: undefined });
      gauge.set(open.size);
      socket.once('close', () => {
        open.delete(socket);
        gauge.set(open.size);
        admitted.leave.abandoned(); // unless it was told otherwise
      });
      waiting.set(req, admitted);
      proxy.upgrade(req, socket as Parameters<typeof proxy.upgrade>[1], head);
    },
    close() {
      clearInterval(lookAgain);
      for (const [socket, { tunnel }] of open) {
        if (tunnel === undefined) socket.destroy();
        else tunnel.close('restart');
      }
    },
  };
}

/** A token is valid for minutes and a tunnel for days: one whose session or token has ended must be closed. */
async function closeIfSignedOut({ caller, tunnel }: OpenTunnel, verifier: CallerVerifier): Promise<void> {
  if (caller === undefined) return;
  try {
    await verifier.verify(caller.bearer);
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) tunnel?.close('signedOut'); // anything else says nothing of them
  }
}

function targetOf(admitted: Admitted | undefined): string {
  if (admitted === undefined) throw new Error('The tunnel was not admitted');
  return admitted.upstream.origin;
}
