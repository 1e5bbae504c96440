import { boundCounter, boundHistogram, type Log, type Metrics, runInContext } from '@marimo/observability';
import { methodLabel } from './methods.ts';
import { remembered } from './metrics.ts';
import type { Passage } from './passage.ts';

export type Record = (passage: Passage) => void;

const sizeBuckets = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];
const slowMs = 1_000;
const clientGone = 499; // as nginx has it

/**
 * Counts each request once, when its last byte is out or its client has gone. Only failures and slow ones are logged:
 * the services log every request, and a line for each here would cost a fifth of the gateway's speed.
 */
export function recorder(metrics: Metrics, log: Log): Record {
  const labels = ['method', 'route', 'status'] as const;
  const sized = ['method', 'route'] as const;
  const requests = metrics.counter('http_requests_total', 'Requests answered', labels);
  const duration = metrics.histogram('http_request_duration_seconds', 'From first byte to last', labels);
  const taken = metrics.histogram('http_request_size_bytes', 'Bodies received', sized, sizeBuckets);
  const sent = metrics.histogram('http_response_size_bytes', 'Bodies sent', sized, sizeBuckets);

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

  return (passage) => {
    const { req, route, requestId, caller } = passage;
    const durationMs = performance.now() - passage.startedAt;
    const method = methodLabel(req.method);
    const status = statusOf(passage);
    if (status === clientGone) clientAborts.inc({ phase: phaseOf(passage) });
    const ofKind = bound(method, route, status);
    ofKind.count();
    ofKind.duration(durationMs / 1000);
    ofKind.sent(passage.bytesSent);
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

function statusOf({ res, broken }: Passage): number {
  if (res.writableFinished) return res.statusCode;
  return broken ? 502 : clientGone;
}

function phaseOf({ req, res }: Passage): string {
  if (res.headersSent) return 'body';
  return req.complete ? 'headers' : 'upload';
}

function pathOf(url = ''): string {
  return url.split('?', 1)[0] ?? '';
}
