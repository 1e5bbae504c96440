import type { IncomingMessage, ServerResponse } from 'node:http';
import { continueTrace, type Log, type Metrics, runInContext } from '@marimo/observability';
import type { Exchange } from './exchange.ts';

export type RecordExchange = (req: IncomingMessage, res: ServerResponse, exchange: Exchange) => void;

const sizeBuckets = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** What the services and the gateway measure of every request, under the same names. */
export function httpMetrics(metrics: Metrics) {
  const labels = ['method', 'route', 'status'] as const;
  const sized = ['method', 'route'] as const;
  return {
    requests: metrics.counter('http_requests_total', 'Requests answered', labels),
    duration: metrics.histogram('http_request_duration_seconds', 'From first byte to last', labels),
    taken: metrics.histogram('http_request_size_bytes', 'Bodies received', sized, sizeBuckets),
    sent: metrics.histogram('http_response_size_bytes', 'Bodies sent', sized, sizeBuckets),
  };
}

/** Counts and logs each exchange once, when its last byte is out or its caller has gone. Never a query or a body. */
export function recordExchanges(metrics: Metrics, log: Log): RecordExchange {
  const { requests, duration, taken, sent } = httpMetrics(metrics);
  return (req, res, exchange) => {
    const { requestId, startedAt, route, sentBytes, quiet, who, traceparent, cost } = exchange;
    const seconds = (performance.now() - startedAt) / 1000;
    const method = req.method ?? '';
    // 499 as nginx has it: the caller hung up before the answer was out.
    const status = res.writableFinished ? res.statusCode : 499;
    requests.inc({ method, route, status });
    duration.observe({ method, route, status }, seconds);
    taken.observe({ method, route }, Number(req.headers['content-length'] ?? 0));
    sent.observe({ method, route }, sentBytes);
    const line = {
      method,
      route,
      path: pathOf(req),
      status,
      durationMs: Math.round(seconds * 1000),
      statements: cost.statements,
    };
    const write = () => log[quiet && status < 400 ? 'debug' : 'info']('request', line);
    runInContext({ requestId, ...who }, () => continueTrace(traceparent, write));
  };
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '').split('?', 1)[0] ?? '';
}
