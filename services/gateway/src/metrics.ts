import { boundCounter, boundHistogram, type Metrics } from '@marimo/observability';

export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;

/** Makes a thing once for each set of arguments. For few sets: it forgets none. */
export function remembered<A extends (string | number)[], T>(make: (...of: A) => T): (...of: A) => T {
  const made = new Map<string, T>();
  return (...of) => {
    const name = of.join(' ');
    const known = made.get(name);
    if (known !== undefined) return known;
    const thing = make(...of);
    made.set(name, thing);
    return thing;
  };
}

/** `upstream` is a service behind the gateway: `service` already says whose metrics these are. */
export function gatewayMetrics(metrics: Metrics) {
  const upstreamSeconds = metrics.histogram(
    'gateway_upstream_request_duration_seconds',
    'One try at one instance, from sending to the end of its answer',
    ['upstream', 'outcome'],
  );
  const rateLimit = metrics.counter('gateway_ratelimit_total', 'Answers of the rate limits', [
    'policy',
    'decision',
    'backend',
  ]);
  return {
    upstreamSeconds: remembered((upstream: string, outcome: string) =>
      boundHistogram(upstreamSeconds, { upstream, outcome }),
    ),
    retries: metrics.counter('gateway_retries_total', 'Further tries', ['upstream', 'reason']),
    rateLimit: remembered((policy: string, decision: string, backend: string) =>
      boundCounter(rateLimit, { policy, decision, backend }),
    ),
    saturated: metrics.counter(
      'gateway_saturated_total',
      'Requests turned away because their service had as many as it may have at once',
      ['upstream'],
    ),
    overload: metrics.gauge('gateway_overload_level', 'How many classes of traffic are being shed', []),
    shed: metrics.counter('gateway_shed_total', 'Requests turned away under overload', ['class']),
    cache: metrics.counter('gateway_cache_total', 'Requests to routes that may be cached', [
      'upstream',
      'result',
    ]),
    deprecated: metrics.counter('http_deprecated_requests_total', 'Requests to endpoints that will go', [
      'method',
      'route',
    ]),
    tunnels: metrics.gauge('gateway_ws_tunnels', 'Open WebSocket tunnels', []),
    discoveryAge: metrics.gauge('gateway_discovery_age_seconds', 'Since discovery last answered', []),
    refusedTokens: metrics.counter(
      'gateway_refused_tokens_total',
      'Requests without a valid bearer token',
      [],
    ),
  };
}
