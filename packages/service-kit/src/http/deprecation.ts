import type { AnyEndpoint } from '@marimo/contracts';
import type { Metrics } from '@marimo/observability';
import type { RequestHandler } from 'express';

export type Deprecating = (endpoint: AnyEndpoint) => RequestHandler[];

/**
 * Tells with every answer, refusals included, that an endpoint should no longer be used (RFC 9745), when it will be gone
 * (RFC 8594) and what takes its place. Said here and not at the gateway, so that programs that call a service directly
 * hear it too; the gateway passes it on.
 */
export function deprecations(metrics: Metrics): Deprecating {
  const calls = metrics.counter('http_deprecated_requests_total', 'Requests to endpoints that will go', [
    'method',
    'route',
  ]);
  return ({ method, path, deprecated }) => {
    if (deprecated === undefined) return [];
    const { since, sunset, successor } = deprecated;
    const headers = new Map([
      ['deprecation', `@${Date.parse(since) / 1000}`],
      ['sunset', new Date(sunset).toUTCString()],
    ]);
    if (successor !== undefined) headers.set('link', `<${successor}>; rel="successor-version"`);
    return [
      (_req, res, next) => {
        calls.inc({ method, route: path });
        res.setHeaders(headers);
        next();
      },
    ];
  };
}
