import { keepsAnswers } from '../idempotency/declared.ts';
import type { Route } from '../route.ts';

/** Mistakes in declarations that types cannot see; a service that has one does not start. */
export function checkRoutes(service: string, routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const { endpoint } of routes) {
    const { method, path, access, body, stepUp, cache } = endpoint;
    const name = `${method} ${path}`;
    const refuse = (why: string) => {
      throw new Error(`${name}: ${why}`);
    };
    if (seen.has(name)) refuse('is declared twice');
    seen.add(name);
    if (!path.startsWith(`/api/v1/${service}/`) && !path.startsWith(`/internal/${service}/`)) {
      refuse(`a path of ${service} starts with /api/v1/${service}/ or /internal/${service}/`);
    }
    const isOpen = access === 'public' || access === 'platform';
    if (access === 'platform' && !path.startsWith('/internal/')) refuse('what is for services is internal');
    if (stepUp && isOpen) refuse('who is not signed in cannot step up');
    if (cache !== undefined && method !== 'GET') refuse('only what GET answers can be cached');
    if (keepsAnswers(endpoint) && (isOpen || (body !== undefined && 'stream' in body))) {
      refuse(
        "its answers cannot be kept: no tenant, or a body too long to compare; declare repeat: 'natural'",
      );
    }
  }
}
