import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Absent, Forbidden, Unavailable } from '@marimo/contracts';
import { refusals } from '@marimo/contracts/gateway';
import type { Breakers } from '@marimo/resilience';
import { type Caller, requestIdOf } from '@marimo/service-kit';
import { answerOwedOn, refuseOnSocket } from './answer.ts';
import type { GatewayMetrics } from './metrics.ts';
import { networkOf, type ReadAddress } from './policies/address.ts';
import { type Identify, isInvalidIdentity } from './policies/api-key.ts';
import type { Bulkhead } from './policies/bulkhead.ts';
import type { Origins } from './policies/origins.ts';
import type { Shedding } from './policies/overload.ts';
import type { RateLimiter } from './policies/rate-limit.ts';
import { type ClientHeaders, readClientHeaders, type Upstreams } from './proxy/index.ts';
import { targetOf } from './target.ts';
import type { Admitted, Tunnels } from './tunnels.ts';

/** A path whose upgrades are let through; there is no other. */
export interface SocketRoute {
  readonly service: string;
  readonly path: string;
  /** Whether an access token must come with the upgrade; without one the service itself asks who it is. */
  readonly bearer: boolean;
  /** Required of the caller, besides the token. */
  readonly permission?: string;
}

export interface UpgradeParts {
  readonly routes: readonly SocketRoute[];
  readonly origins: Origins;
  readonly shedding: Shedding;
  readonly bulkhead: Bulkhead;
  readonly readAddress: ReadAddress;
  readonly identify: Identify;
  readonly limiter: RateLimiter;
  readonly upstreams: Upstreams;
  readonly breakers: Breakers;
  readonly tunnels: Tunnels;
  readonly metrics: Pick<GatewayMetrics, 'refusedTokens'>;
  readonly draining: () => boolean;
  readonly unexpected: (error: unknown) => void;
}

export type TakeUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** WebSocket upgrades: closed, unless a route opens one and its caller passes the checks every request passes. */
export function createUpgrades(parts: UpgradeParts): TakeUpgrade {
  return (req, socket, head) => {
    // Bytes of ours, or of a tunnel, would be taken for the answer to what was asked before.
    if (answerOwedOn(socket) !== undefined) return void socket.destroy();
    const requestId = requestIdOf(req);
    const gone = () => socket.destroy();
    socket.on('error', gone); // no other listener yet
    admit(parts, req, requestId)
      .then((admitted) => {
        socket.off('error', gone);
        if (socket.destroyed) admitted.leave.abandoned();
        else open(parts, req, socket, head, admitted);
      })
      .catch((thrown: unknown) => {
        parts.unexpected(thrown);
        refuseOnSocket(socket, thrown, requestId);
      });
  };
}

function open(
  { tunnels }: UpgradeParts,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  admitted: Admitted,
): void {
  try {
    tunnels.open(req, socket, head, admitted);
  } catch (thrown) {
    admitted.leave.abandoned();
    throw thrown;
  }
}

async function admit(parts: UpgradeParts, req: IncomingMessage, requestId: string): Promise<Admitted> {
  const { path, service } = targetOf(req);
  const headers = readClientHeaders(req);
  const { address, proto } = parts.readAddress(req);
  const route = parts.routes.find((one) => one.service === service && one.path === path);
  if (route === undefined) {
    await parts.limiter.take('caller', { address, caller: undefined }, []);
    throw new Absent({ resource: 'socket' });
  }
  requireOrigin(req, headers.host, parts.origins);
  parts.shedding.requireRoom('write'); // a person is waiting for it
  const verified = route.bearer ? await identified(parts, headers, address) : undefined;
  await parts.limiter.take('caller', { address, caller: verified }, []);
  const { permission } = route;
  if (permission !== undefined && !verified?.may(permission)) throw new Forbidden({ permission });
  parts.tunnels.requireRoom(route.service, verified);
  // An open tunnel is no running request, so it takes no capacity; but a saturated service gets no further one.
  parts.bulkhead.enter(route.service);
  parts.bulkhead.leave(route.service);
  const skip = ({ instance }: { instance: { id: string; service: string } }) =>
    parts.breakers.isOpen(instance);
  const client = verified?.sessionId ?? networkOf(address);
  const upstream = parts.draining()
    ? undefined
    : parts.upstreams.choose({ service: route.service, client }, skip);
  const leave = upstream && parts.breakers.enter(upstream.instance);
  if (upstream === undefined || leave === undefined)
    throw new Unavailable({ service: route.service }, { retryAfterSeconds: 1 });

  req.headers = onward(headers, { address, proto, requestId });
  return { requestId, upstream, caller: verified, leave };
}

/** An invalid token counts against the address it came from, as with any request. */
async function identified(
  { identify, limiter, metrics }: UpgradeParts,
  headers: ClientHeaders,
  address: string,
): Promise<Caller> {
  try {
    return await identify(headers, address);
  } catch (thrown) {
    if (!isInvalidIdentity(thrown)) throw thrown;
    metrics.refusedTokens.inc();
    await limiter.take('caller', { address, caller: undefined }, []);
    throw thrown;
  }
}

/** A browser sends the cookies of our site with another site's socket, and no same-origin policy stops it. */
function requireOrigin(req: IncomingMessage, host: string, origins: Origins): void {
  const { origin } = req.headers;
  // Without one it is not a browser.
  if (origin !== undefined && !origins.allows(origin, host)) throw new refusals.OriginRefused({ origin });
}

/** The library sends on whatever stands in `headers`. */
function onward(
  { passed, host }: ClientHeaders,
  { address, proto, requestId }: { address: string; proto: string; requestId: string },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < passed.length; at += 2) {
    const name = passed[at] as string;
    const value = passed[at + 1] as string;
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return {
    ...headers,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'x-forwarded-for': address,
    'x-forwarded-proto': proto,
    'x-forwarded-host': host,
    'x-request-id': requestId,
  };
}
