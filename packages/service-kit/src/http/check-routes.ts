import { isForServices } from '@marimo/contracts';
import { keepsAnswers } from '../idempotency/declared.ts';
import type { Route } from '../route.ts';

/** Mistakes in declarations that types cannot see; a service that has one does not start. */
export function checkRoutes(service: string, routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const { endpoint } of routes) {
    const { method, path, access, body, stepUp, cache, deprecated } = endpoint;
    const name = `${method} ${path}`;
    const refuse = (why: string) => {
      throw new Error(`${name}: ${why}`);
    };
    if (seen.has(name)) refuse('is declared twice');
    seen.add(name);
    if (!isPathOf(service, path)) {
      refuse(`a path of ${service} starts with /api/v<n>/${service}/ or /internal/${service}/`);
    }
    if (deprecated && deprecated.sunset < deprecated.since)
      refuse('it would be gone before it is deprecated');
    if (deprecated?.successor === path) refuse('nothing takes its own place');
    const isOpen = access === 'public' || isForServices(access);
    if (isForServices(access) && !path.startsWith('/internal/')) refuse('what is for services is internal');
    if (stepUp && isOpen) refuse('who is not signed in cannot step up');
    if (cache !== undefined && method !== 'GET') refuse('only what GET answers can be cached');
    if (keepsAnswers(endpoint) && (access === 'public' || (body !== undefined && 'stream' in body))) {
      refuse(
        "its answers cannot be kept: no person, or a body too long to compare; declare repeat: 'natural'",
      );
    }
  }
}

/** Whether the path is below that of the service, public or internal. */
export function isPathOf(service: string, path: string): boolean {
  const [, place] = /^\/(?:api\/v[1-9]\d{0,2}|internal)\/([^/]+)\/./.exec(path) ?? [];
  return place === service;
}
