import type { Cache } from '@marimo/cache';
import type { Log } from '@marimo/observability';
import type { GatewayMetrics } from './metrics.ts';
import { Bulkhead } from './policies/bulkhead.ts';
import { allowedOrigins, type Origins } from './policies/origins.ts';
import { Shedding, watchLoad } from './policies/overload.ts';
import { ResponseCache } from './response-cache/index.ts';
import type { GatewaySettings } from './settings.ts';

export interface TrafficParts {
  readonly cache: Cache;
  readonly settings: GatewaySettings;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  readonly clock: () => Date;
  /** Tells how great the load is; a test tells it itself. The returned function ends it. */
  readonly watch?: ((shedding: Shedding, inFlight: () => number) => () => void) | undefined;
}

/** What keeps one client, one service and one rush from taking everything. */
export interface Traffic {
  readonly origins: Origins;
  readonly bulkhead: Bulkhead;
  readonly shedding: Shedding;
  readonly responses: ResponseCache;
  close(): Promise<void>;
}

export function trafficPolicies(parts: TrafficParts): Traffic {
  const { cache, settings, metrics, log, clock, watch = watchLoad } = parts;
  const bulkhead = new Bulkhead(settings.serviceInFlight, metrics);
  const shedding = new Shedding(settings.overload, metrics);
  const endWatch = watch(shedding, () => bulkhead.total);
  const maxBytes = settings.responseCacheBytes;
  const responses = new ResponseCache({ cache, metrics, log, maxBytes, clock: () => clock().getTime() });
  return {
    origins: allowedOrigins(settings.allowedOrigins),
    bulkhead,
    shedding,
    responses,
    async close() {
      endWatch();
      await responses.close();
    },
  };
}
