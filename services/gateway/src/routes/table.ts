import type { AnyEndpoint } from '@marimo/contracts';
import { login, register } from '@marimo/contracts/users';
import type { LimitName } from '../settings.ts';

/** What the gateway must know of a request before it passes it on. */
export interface RoutePolicy {
  readonly service: string;
  /** The path's template, a label of metrics; `unmatched` where no contract names the path. */
  readonly template: string;
  /** Whether a valid access token is needed; on a public route a token is not even looked at. */
  readonly bearer: boolean;
  readonly limit: LimitName;
  readonly bodyLimitBytes: number;
  readonly deadlineMs: number;
}

export interface RouteTable {
  readonly services: readonly string[];
  /** Undefined for a service nobody has declared. */
  match(service: string, method: string, path: string): RoutePolicy | undefined;
}

/** Where guessing or flooding pays: an own limit for each address. */
const ownLimits: ReadonlyMap<string, LimitName> = new Map([
  [keyOf(login), 'login'],
  [keyOf(register), 'register'],
]);
const defaultBodyLimitBytes = 1_048_576;
const defaultDeadlineMs = 15_000;

/** Compiles the contracts; refuses two endpoints that answer the same request, because one would never be reached. */
export function compileRoutes(contracts: Readonly<Record<string, readonly AnyEndpoint[]>>): RouteTable {
  const services = new Map(
    Object.entries(contracts).map(([service, endpoints]) => [service, compileService(service, endpoints)]),
  );
  return {
    services: [...services.keys()],
    match: (service, method, path) => services.get(service)?.(method, path),
  };
}

interface Place {
  readonly literals: Map<string, Place>;
  parameter: Place | undefined;
  readonly methods: Map<string, RoutePolicy>;
}

function compileService(service: string, endpoints: readonly AnyEndpoint[]) {
  const root = emptyPlace();
  const plain = new Map<string, RoutePolicy>(); // without parameters: one lookup, most requests
  for (const endpoint of endpoints) {
    if (endpoint.path.startsWith('/internal/')) continue;
    const policy = policyOf(service, endpoint);
    const place = grow(root, endpoint.path);
    if (place.methods.has(endpoint.method)) {
      throw new Error(`Two endpoints answer ${endpoint.method} ${endpoint.path}`);
    }
    place.methods.set(endpoint.method, policy);
    if (!endpoint.path.includes('{')) plain.set(keyOf(endpoint), policy);
  }
  const unmatched: RoutePolicy = {
    service,
    template: 'unmatched',
    bearer: true,
    limit: 'caller',
    bodyLimitBytes: defaultBodyLimitBytes,
    deadlineMs: defaultDeadlineMs,
  };
  return (method: string, path: string): RoutePolicy => {
    const asked = method === 'HEAD' ? 'GET' : method;
    return plain.get(`${asked} ${path}`) ?? find(root, segmentsOf(path), 0, asked) ?? unmatched;
  };
}

function policyOf(service: string, endpoint: AnyEndpoint): RoutePolicy {
  const { path, access, bodyLimitBytes = defaultBodyLimitBytes, deadlineMs = defaultDeadlineMs } = endpoint;
  if (!path.startsWith(`/api/v1/${service}/`)) throw new Error(`${path} is not a path of ${service}`);
  return {
    service,
    template: path,
    bearer: access !== 'public',
    limit: ownLimits.get(keyOf(endpoint)) ?? 'caller',
    bodyLimitBytes,
    deadlineMs,
  };
}

function grow(root: Place, path: string): Place {
  let place = root;
  for (const segment of path.toLowerCase().split('/')) {
    if (segment.startsWith('{')) {
      place.parameter ??= emptyPlace();
      place = place.parameter;
      continue;
    }
    const next = place.literals.get(segment) ?? emptyPlace();
    place.literals.set(segment, next);
    place = next;
  }
  return place;
}

/** As liberal as the most liberal router behind us, or another spelling of a path would escape its limits. */
function segmentsOf(path: string): string[] {
  const decoded = path.includes('%') ? decodeURIComponent(path) : path;
  const segments = decoded.toLowerCase().split('/');
  if (segments.at(-1) === '') segments.pop();
  return segments;
}

function find(
  place: Place,
  segments: readonly string[],
  at: number,
  method: string,
): RoutePolicy | undefined {
  const segment = segments[at];
  if (segment === undefined) return place.methods.get(method);
  const literal = place.literals.get(segment);
  const found = literal && find(literal, segments, at + 1, method);
  if (found !== undefined || place.parameter === undefined || segment === '') return found;
  return find(place.parameter, segments, at + 1, method);
}

function emptyPlace(): Place {
  return { literals: new Map(), parameter: undefined, methods: new Map() };
}

function keyOf({ method, path }: Pick<AnyEndpoint, 'method' | 'path'>): string {
  return `${method} ${path}`;
}
