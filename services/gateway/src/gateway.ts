import type { Cache } from '@marimo/cache';
import type { AnyEndpoint, Permission } from '@marimo/contracts';
import type { Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import { Refusal } from '@marimo/problems';
import { Breakers, type ServiceClient } from '@marimo/resilience';
import type { FrontServer, OwnServer, ServerTools } from '@marimo/service-kit';
import { refuse } from './answer.ts';
import { createApi } from './api.ts';
import { type Certificate, createFront, type FrontParts } from './front/index.ts';
import { createHandler } from './handler.ts';
import { type GatewayMetrics, gatewayMetrics } from './metrics.ts';
import { type OperatorListener, type OperatorSettings, operatorListener } from './operators/index.ts';
import { createPages, type PageParts } from './pages/app.ts';
import { documentation } from './pages/documentation.ts';
import { type HealthReader, healthReader, isFine } from './pages/health.ts';
import { addressReader } from './policies/address.ts';
import { identifier } from './policies/api-key.ts';
import { rateLimiter } from './policies/rate-limit.ts';
import { ClientGone, type ProxiedRequest } from './proxied-request.ts';
import { forwarder, Upstreams } from './proxy/index.ts';
import { recorder } from './record.ts';
import type { Routing } from './routes/index.ts';
import { createRoutingState } from './routing-state.ts';
import type { GatewaySettings } from './settings.ts';
import { type TrafficParts, trafficPolicies } from './traffic.ts';
import { createTunnels, type TunnelLimits } from './tunnels.ts';
import { createUpgrades, type SocketRoute } from './upgrade.ts';

export interface GatewayParts extends ServerTools {
  readonly settings: GatewaySettings;
  readonly contracts: Readonly<Record<string, readonly AnyEndpoint[]>>;
  readonly permissions: readonly Permission[];
  readonly operators: OperatorSettings;
  /** Where the gateway keeps what it learned and was told; undefined keeps nothing. */
  readonly home: string | undefined;
  readonly clock: () => Date;
  /** Where others reach this gateway. */
  readonly host: string;
  /** Paths whose WebSocket upgrades are let through. */
  readonly sockets: readonly SocketRoute[];
  /** For tests. */
  readonly tunnelLimits?: Partial<TunnelLimits>;
  /** With one the gateway speaks TLS. */
  readonly certificate?: Certificate | undefined;
  readonly frontLimits?: FrontParts['limits'];
  readonly registry: Registry;
  /** Asks `users` what an API key stands for. */
  readonly client: Pick<ServiceClient, 'call'>;
  readonly cache: Cache;
  readonly metrics: Metrics;
  readonly log: Log;
  /** For tests. */
  readonly watch?: TrafficParts['watch'];
}

/** The gateway's server, made but not yet listening. */
export function createGateway(parts: GatewayParts): OwnServer & { readonly operators: OperatorListener } {
  const { log, settings, registry } = parts;
  let isDraining = false;
  const draining = () => isDraining;
  const unexpected = (thrown: unknown) => {
    const isExpected = thrown instanceof Refusal || thrown instanceof ClientGone;
    if (!isExpected) log.error('a request failed', { error: thrown });
  };
  const fail = (proxied: ProxiedRequest, thrown: unknown) => {
    unexpected(thrown);
    refuse(proxied, thrown);
  };

  const metrics = gatewayMetrics(parts.metrics);
  const breakers = new Breakers({ metrics: parts.metrics, log });
  const { limits } = settings;
  const { routing, overrides, knowledge } = createRoutingState({
    ...parts,
    limits,
    canary: parts.operators.canary,
  });
  const upstreams = new Upstreams(registry, knowledge);
  const tunnels = createTunnels({
    ...parts,
    metrics,
    limits: { ...settings.sockets, ...parts.tunnelLimits },
  });
  const documents = documentation({ ...parts, routing });
  const readAddress = addressReader(settings.trustedProxies);
  const limiter = rateLimiter(parts.cache, overrides.limits, metrics);
  const identify = identifier({ ...parts, limiter });
  const traffic = trafficPolicies({ ...parts, metrics });
  const checks = { ...traffic, readAddress, identify, limiter, metrics, draining, fail, unexpected };
  const api = createApi({ ...checks, routes: routing, forward: forwarder({ upstreams, breakers, metrics }) });
  const upgrade = createUpgrades({ ...checks, routes: parts.sockets, upstreams, breakers, tunnels });
  const seen = { routing, upstreams, breakers, registry };
  const pages = pagesOf(parts, checks, healthReader(seen), routing, documents.text);
  const { responses } = traffic;
  const state = { routing, overrides, upstreams, breakers, isFine, draining, responses };
  const self = () => selfOf(parts.host, front.server.address());
  const operators = operatorListener(
    { ...parts, ...state, self, documentConflicts: documents.conflicts },
    parts.operators,
  );
  const front = createFront({
    handle: createHandler({ api, pages, readAddress, limiter }),
    upgrade,
    record: recorder(parts.metrics, log),
    draining,
    fail,
    certificate: parts.certificate,
    limits: parts.frontLimits,
  });
  return {
    server: front.server,
    operators,
    async open() {
      routing.begin();
      await operators.open();
    },
    drain() {
      isDraining = true;
      front.drain();
      tunnels.close();
    },
    async close() {
      front.close();
      await operators.close();
      await routing.close();
      await traffic.close();
      breakers.close();
      await upstreams.close();
    },
  };
}

function pagesOf(
  { metrics, registry, settings, sharedMetrics }: GatewayParts,
  checks: Pick<PageParts, 'draining' | 'fail'> & { readonly metrics: GatewayMetrics },
  health: HealthReader,
  routing: Routing,
  openApi: () => string,
): ReturnType<typeof createPages> {
  return createPages({
    ...checks,
    health,
    expected: () => settings.expects ?? routing.services,
    openApi,
    async renderMetrics() {
      checks.metrics.discoveryAge.set(registry.ageSeconds());
      return `${await sharedMetrics()}\n${await metrics.render()}`;
    },
    metricsType: metrics.contentType,
  });
}

/** As the kit registers it. */
function selfOf(host: string, address: ReturnType<FrontServer['address']>): string | undefined {
  return typeof address === 'object' && address !== null ? `gateway-${host}-${address.port}` : undefined;
}
