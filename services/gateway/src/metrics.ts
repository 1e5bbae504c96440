import type { Metrics } from '@marimo/observability';

export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;

/** `upstream` is a service behind the gateway: `service` already says whose metrics these are. */
export function gatewayMetrics(metrics: Metrics) {
  return {
    upstreamSeconds: metrics.histogram(
      'gateway_upstream_request_duration_seconds',
      'One try at one instance, from sending to the end of its answer',
      ['upstream', 'outcome'],
    ),
    retries: metrics.counter('gateway_retries_total', 'Further tries', ['upstream', 'reason']),
    rateLimit: metrics.counter('gateway_ratelimit_total', 'Answers of the rate limits', [
      'policy',
      'decision',
      'backend',
    ]),
    tunnels: metrics.gauge('gateway_ws_tunnels', 'Open WebSocket tunnels', []),
    discoveryAge: metrics.gauge('gateway_discovery_age_seconds', 'Since discovery last answered', []),
    refusedTokens: metrics.counter(
      'gateway_refused_tokens_total',
      'Bearer tokens nobody believed, or none',
      [],
    ),
  };
}
