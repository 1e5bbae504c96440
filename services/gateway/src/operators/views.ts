import type { operators } from '@marimo/contracts/gateway';
import type { Instance, Registry } from '@marimo/discovery';
import type { Breakers } from '@marimo/resilience';
import type { Upstreams } from '../proxy/index.ts';
import type { RoutePolicy, Routing } from '../routes/index.ts';
import type { Overrides } from './overrides.ts';
import { type Share, sharesOf } from './shares.ts';

export interface ViewParts {
  readonly routing: Routing;
  readonly overrides: Overrides;
  readonly registry: Registry;
  readonly upstreams: Upstreams;
  readonly breakers: Breakers;
  readonly isFine: (upstream: ReturnType<Upstreams['all']>[number], path: string) => Promise<boolean>;
}

export function routeView(policy: RoutePolicy, { routing, overrides }: ViewParts): operators.OperatorRoute {
  const { service, method, template, bearer, permission, servedBy } = policy;
  const active = routing.book(service)?.active ?? [];
  const serving = active.filter(({ digest }) => servedBy === undefined || servedBy.has(digest));
  const isOverridden = overrides.current.routes.some((one) => one.method === method && one.path === template);
  const origins = new Set(serving.map(({ origin }) => origin));
  return {
    service,
    method,
    path: template,
    access: permission ?? (bearer ? 'signed-in' : 'public'),
    closed: policy.closed,
    stepUp: policy.stepUp,
    limit: policy.limit,
    bodyLimitBytes: policy.bodyLimitBytes,
    deadlineMs: policy.deadlineMs,
    cache: policy.cache ?? null,
    deprecated: policy.deprecated ?? null,
    versions: [...new Set(serving.map(({ description }) => description.version))].sort(),
    from: [...origins, ...(isOverridden ? (['operator'] as const) : [])],
  };
}

export async function instanceViews(parts: ViewParts): Promise<operators.OperatorInstance[]> {
  const { routing, upstreams, breakers } = parts;
  const all = routing.services.flatMap((service) => {
    const shares = new Map(serviceShares(service, parts).map((share) => [share.version, share]));
    return upstreams.all(service).map((upstream) => ({ upstream, shares }));
  });
  return Promise.all(
    all.map(async ({ upstream, shares }) => {
      const { instance, inFlight } = upstream;
      const version = routing.versionOf(instance);
      const share = shares.get(version);
      const fine = await Promise.all([parts.isFine(upstream, '/health'), parts.isFine(upstream, '/ready')]);
      return {
        id: instance.id,
        service: instance.service,
        host: instance.host,
        port: instance.port,
        version,
        routesDigest: routing.digestOf(instance) ?? null,
        routes: routing.routeStatusOf(instance),
        breaker: breakers.stateOf(instance),
        inFlight,
        percent: share === undefined ? 0 : Math.round((share.percent * 100) / share.instances) / 100,
        alive: fine[0],
        ready: fine[1],
      };
    }),
  );
}

export function serviceShares(service: string, { routing, overrides, registry }: ViewParts): Share[] {
  const versionOf = (instance: Instance) => routing.versionOf(instance);
  return sharesOf(registry.instances(service), versionOf, overrides.weightsOf(service));
}
