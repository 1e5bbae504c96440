import { z } from 'zod';
import type { AnyEndpoint } from '../endpoint.ts';

const longestDeadlineMs = 600_000;
const largestBodyBytes = 1_073_741_824;
const permissionName = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*){2}$/;

/**
 * What a gateway must know of an endpoint before it passes a request on. Unknown members are dropped, not refused: a
 * service may be newer than the gateway in front of it.
 */
export const RouteDescription = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** `/api/v<n>/<service>/…`, with `{parameters}`. */
  path: z
    .string()
    .max(300)
    .regex(/^\/api\/v[1-9]\d{0,2}\/[a-z][a-z0-9-]*(?:\/(?:\{\w+\}|[\w.~-]+))+$/),
  /** `public`, `signed-in` or the name of a permission; null where none was declared: closed to everyone. */
  access: z.union([z.enum(['public', 'signed-in']), z.string().regex(permissionName)]).nullable(),
  stepUp: z.literal(true).optional(),
  bodyLimitBytes: z.int().min(0).max(largestBodyBytes).optional(),
  deadlineMs: z.int().min(1).max(longestDeadlineMs).optional(),
  cache: z.object({ freshMs: z.int().min(0), staleIfErrorMs: z.int().min(0) }).optional(),
  deprecated: z
    .object({
      since: z.iso.date(),
      sunset: z.iso.date(),
      successor: z.string().max(300).optional(),
    })
    .optional(),
  polled: z.boolean().optional(),
  /** The body is read as it arrives: an import or an upload. */
  streams: z.literal(true).optional(),
  /** Its answers may hold what must neither be kept nor compressed: tokens, keys, recovery codes. */
  secret: z.literal(true).optional(),
});
export type RouteDescription = z.infer<typeof RouteDescription>;

/** What a service says of itself at `/internal/<service>/routes`. */
export const ServiceDescription = z.object({
  service: z.string().regex(/^[a-z][a-z0-9-]*$/),
  version: z.string().min(1).max(100),
  /** The permissions this version of the service declares; a route may need no other. */
  permissions: z.array(z.string().regex(permissionName)).max(2_000),
  routes: z.array(RouteDescription).max(2_000),
});
export type ServiceDescription = z.infer<typeof ServiceDescription>;

/** Describes what a gateway may pass on; in an order of its own, so that two builds of one source say the same. */
export function describeService(
  { service, version }: Pick<ServiceDescription, 'service' | 'version'>,
  endpoints: readonly AnyEndpoint[],
  permissions: readonly { readonly name: string }[],
): ServiceDescription {
  const open = endpoints.filter(({ path }) => !path.startsWith('/internal/'));
  const ofService = permissions.map(({ name }) => name).filter((name) => name.startsWith(`${service}.`));
  return {
    service,
    version,
    permissions: [...new Set(ofService)].sort(),
    routes: open.map(describeRoute).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
  };
}

function describeRoute(endpoint: AnyEndpoint): RouteDescription {
  const { method, path, access, stepUp, bodyLimitBytes, deadlineMs, cache, deprecated, polled } = endpoint;
  const { body, repeat } = endpoint;
  return {
    method,
    path,
    access: accessOf(access),
    ...(stepUp !== undefined && { stepUp }),
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(cache !== undefined && { cache }),
    ...(deprecated !== undefined && { deprecated }),
    ...(polled !== undefined && { polled }),
    ...(body !== undefined && 'stream' in body && { streams: true as const }),
    ...(repeat === 'natural' && { secret: true as const }),
  };
}

/** What is for services, or declares nothing because it was made around the types, is closed to everyone outside. */
function accessOf(access: AnyEndpoint['access'] | undefined): RouteDescription['access'] {
  if (access === 'public' || access === 'signed-in') return access;
  return typeof access === 'object' && access !== null && 'name' in access ? access.name : null;
}

function keyOf({ method, path }: RouteDescription): string {
  return `${path} ${method}`;
}
