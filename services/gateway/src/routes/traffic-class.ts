import type { RouteDescription } from '@marimo/contracts';

/**
 * How long a request must be let through while the gateway is overloaded. `background`: machines that ask again
 * anyway, imports, uploads. `critical`: signing in, staying signed in and signing out.
 */
export type TrafficClass = 'background' | 'read' | 'write' | 'critical';

const critical = /^\/api\/v\d+\/users\/(?:login|refresh|logout|step-up|\.well-known)(?:\/|$)/;

export function trafficClassOf({
  method,
  path,
  polled,
  streams,
}: Pick<RouteDescription, 'method' | 'path' | 'polled' | 'streams'>): TrafficClass {
  if (critical.test(path)) return 'critical';
  if (polled === true || streams === true) return 'background';
  return method === 'GET' ? 'read' : 'write';
}
