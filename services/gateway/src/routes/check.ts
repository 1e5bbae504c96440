import type { RouteDescription, ServiceDescription } from '@marimo/contracts';
import { isPathOf } from '@marimo/service-kit';
import { isPermission, keyOf } from './policy.ts';

/** Whether a permission is declared: no other can be granted, so a route that needs another is closed. */
export type KnowsPermission = (name: string) => boolean;

/**
 * The mistakes in a service's description; none if it is valid. One mistake refuses the description as a whole: half a
 * table would be neither what the service offers nor what was there before.
 */
export function mistakesIn(
  service: string,
  description: ServiceDescription,
  knowsPermission: KnowsPermission,
): string[] {
  const mistakes: string[] = [];
  if (description.service !== service) mistakes.push(`it is the description of ${description.service}`);
  for (const name of description.permissions) {
    if (!name.startsWith(`${service}.`)) mistakes.push(`${name} is not a permission of ${service}`);
  }
  const own = new Set(description.permissions);
  const seen = new Map<string, RouteDescription>();
  for (const route of description.routes) {
    const name = keyOf(route);
    const twin = seen.get(shapeOf(route));
    if (twin !== undefined) mistakes.push(`two routes answer ${name}: the other is ${twin.path}`);
    seen.set(shapeOf(route), route);
    if (!isPublicPathOf(service, route.path)) mistakes.push(`${name} is not a path of ${service}`);
    if (route.access === null) mistakes.push(`${name} declares no access`);
    if (isPermission(route.access) && !own.has(route.access) && !knowsPermission(route.access)) {
      mistakes.push(`${name} needs ${route.access}, an undeclared permission`);
    }
    if (route.cache !== undefined && route.method !== 'GET') mistakes.push(`${name} cannot be cached`);
  }
  return mistakes;
}

/** Two routes of one shape answer the same requests, whatever their parameters are called. */
export function shapeOf({ method, path }: Pick<RouteDescription, 'method' | 'path'>): string {
  return `${method} ${path.replaceAll(/\{\w+\}/g, '{}').toLowerCase()}`;
}

/** A path of the service that is not internal and can be read in one way only. */
function isPublicPathOf(service: string, path: string): boolean {
  const isInternal = /^\/(?:api\/v\d+\/[^/]+\/)?internal(?:\/|$)/i.test(path);
  return isPathOf(service, path) && !isInternal && !/\/\.{0,2}(?:\/|$)/.test(path);
}
