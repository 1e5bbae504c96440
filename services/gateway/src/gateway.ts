import type { Cache } from '@marimo/cache';
import type { AnyEndpoint } from '@marimo/contracts';
import { endpoints as ownPages } from '@marimo/contracts/gateway';
import type { Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import { Refusal } from '@marimo/problems';
import { Breakers } from '@marimo/resilience';
import type { GivenToServer, OwnServer } from '@marimo/service-kit';
import { refuse } from './answer.ts';
import { createApi } from './api.ts';
import { type Certificate, createFront, type FrontParts, overHttp1 } from './front/index.ts';
import { gatewayMetrics } from './metrics.ts';
import { createPages } from './pages/app.ts';
import { healthReader } from './pages/health.ts';
import { mergedOpenApi } from './pages/openapi.ts';
import { ClientGone, type Passage } from './passage.ts';
import { addressReader } from './policies/address.ts';
import { rateLimiter } from './policies/rate-limit.ts';
import { forwarder, Upstreams } from './proxy/index.ts';
import { recorder } from './record.ts';
import { compileRoutes } from './routes/index.ts';
import type { GatewaySettings } from './settings.ts';
import { readTarget } from './target.ts';
import { createTunnels } from './tunnels.ts';
import { createUpgrades, type SocketRoute } from './upgrade.ts';

export interface GatewayParts extends GivenToServer {
  readonly settings: GatewaySettings;
  readonly contracts: Readonly<Record<string, readonly AnyEndpoint[]>>;
  /** Paths whose WebSocket upgrades are let through. */
  readonly sockets: readonly SocketRoute[];
  /** With one the gateway speaks TLS. */
  readonly certificate?: Certificate | undefined;
  readonly frontLimits?: FrontParts['limits'];
  readonly registry: Registry;
  readonly cache: Cache;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The gateway's server, made but not yet listening. */
export function createGateway(parts: GatewayParts): OwnServer {
  const { log, settings, registry, contracts, version, verifier } = parts;
  let isDraining = false;
  const draining = () => isDraining;
  const unexpected = (thrown: unknown) => {
    const isExpected = thrown instanceof Refusal || thrown instanceof ClientGone;
    if (!isExpected) log.error('a request failed', { error: thrown });
  };
  const fail = (passage: Passage, thrown: unknown) => {
    unexpected(thrown);
    refuse(passage, thrown);
  };

  const metrics = gatewayMetrics(parts.metrics);
  const breakers = new Breakers({ metrics: parts.metrics, log });
  const upstreams = new Upstreams(registry);
  const tunnels = createTunnels(metrics);
  const routes = compileRoutes(contracts);
  const readAddress = addressReader(settings.trustedProxies);
  const limiter = rateLimiter(parts.cache, settings.limits, metrics);
  const checks = { readAddress, verifier, limiter, metrics, draining, fail, unexpected };
  const api = createApi({ ...checks, routes, forward: forwarder({ upstreams, breakers, metrics }) });
  const upgrade = createUpgrades({
    ...checks,
    routes: parts.sockets,
    allowedOrigins: settings.allowedOrigins,
    upstreams,
    breakers,
    tunnels,
  });
  const pages = overHttp1(
    createPages({
      ...checks,
      health: healthReader({ services: routes.services, upstreams, breakers, registry }),
      expected: settings.expects ?? routes.services,
      openApi: mergedOpenApi({ gateway: ownPages, ...contracts }, version),
      async renderMetrics() {
        metrics.discoveryAge.set(registry.ageSeconds());
        return `${await parts.sharedMetrics()}\n${await parts.metrics.render()}`;
      },
      metricsType: parts.metrics.contentType,
    }),
  );
  const handle = async (passage: Passage) => {
    const target = readTarget(passage.req.url ?? '');
    if (target.service === undefined) pages(passage);
    else await api(passage, target.service, target);
  };

  const front = createFront({
    handle,
    upgrade,
    record: recorder(parts.metrics, log),
    draining,
    fail,
    certificate: parts.certificate,
    limits: parts.frontLimits,
  });
  return {
    server: front.server,
    drain() {
      isDraining = true;
      front.drain();
      tunnels.close();
    },
    async close() {
      front.close();
      breakers.close();
      await upstreams.close();
    },
  };
}
