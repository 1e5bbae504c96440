import { boundCounter, boundHistogram, type Log, type Metrics, runInContext } from '@marimo/observability';
import { httpMetrics } from '@marimo/service-kit';
import { methodLabel } from './methods.ts';
import { remembered } from './metrics.ts';
import type { ProxiedRequest } from './proxied-request.ts';

export type Record = (proxied: ProxiedRequest) => void;

const slowMs = 1_000;
const clientGone = 499; // as nginx has it

/**
 * Counts each request once, when its last byte is out or its client has gone. Only failures and slow ones are logged:
 * the services log every request, and a line for each here would cost a fifth of the gateway's speed.
 */
export function recorder(metrics: Metrics, log: Log): Record {
  const { requests, duration, taken, sent } = httpMetrics(metrics);
  const clientAborts = metrics.counter(
    'gateway_client_aborts_total',
    'Clients that left before their answer was out',
    ['phase'],
  );

  /** Bound once for each route, method and status: a few hundred at most, since a route is a template. */
  const bound = remembered((method: string, route: string, status: number) => ({
    count: boundCounter(requests, { method, route, status }),
    duration: boundHistogram(duration, { method, route, status }),
    sent: boundHistogram(sent, { method, route }),
  }));

  return (proxied) => {
    const { req, route, requestId, caller } = proxied;
    const durationMs = performance.now() - proxied.startedAt;
    const method = methodLabel(req.method);
    const status = statusOf(proxied);
    if (status === clientGone) clientAborts.inc({ phase: phaseOf(proxied) });
    const ofKind = bound(method, route, status);
    ofKind.count();
    ofKind.duration(durationMs / 1000);
    ofKind.sent(proxied.bytesSent);
    const { 'content-length': length } = req.headers;
    if (length !== undefined) taken.observe({ method, route }, Number(length));
    if (status < 400 && durationMs < slowMs) return;
    const who = caller && { tenantId: caller.tenantId, actorId: caller.userId };
    runInContext({ requestId, ...who }, () => {
      log.info('request', {
        method,
        route,
        path: pathOf(req.url),
        status,
        durationMs: Math.round(durationMs),
      });
    });
  };
}

function statusOf({ res, broken }: ProxiedRequest): number {
  if (res.writableFinished) return res.statusCode;
  return broken ? 502 : clientGone;
}

function phaseOf({ req, res }: ProxiedRequest): string {
  if (res.headersSent) return 'body';
  return req.complete ? 'headers' : 'upload';
}

function pathOf(url = ''): string {
  return url.split('?', 1)[0] ?? '';
}
