import type { RouteDescription } from '@marimo/contracts';
import { type KnowsPermission, shapeOf } from './check.ts';
import { policyOf, type RouteOverride, type RoutePolicy, unmatchedPolicy } from './policy.ts';

export interface RouteTable {
  readonly services: readonly string[];
  /** Undefined for a service, or a version of its API, that is not declared. */
  match(service: string, method: string, path: string): RoutePolicy | undefined;
}

/** One way a service describes itself; instances that share it share the digest. */
export interface DescribedRoutes {
  readonly digest: string;
  readonly routes: readonly RouteDescription[];
}

export interface ServicePlan {
  readonly service: string;
  /** Of the versions that are up. */
  readonly versions: readonly DescribedRoutes[];
  /** Routes of refused descriptions that must be closed in any case. */
  readonly closed?: readonly RouteDescription[];
  readonly overrides: readonly RouteOverride[];
  readonly knowsPermission: KnowsPermission;
}

export interface CompiledService {
  readonly policies: readonly RoutePolicy[];
  match(method: string, path: string): RoutePolicy | undefined;
}

interface Place {
  readonly literals: Map<string, Place>;
  parameter: Place | undefined;
  readonly methods: Map<string, RoutePolicy>;
}

/** Compiles what the versions of one service say, which has been checked, into what answers in a microsecond. */
export function compileService(plan: ServicePlan): CompiledService {
  const root = emptyPlace();
  const plain = new Map<string, RoutePolicy>(); // without parameters: one lookup, most requests
  const policies = policiesOf(plan);
  for (const policy of policies) {
    grow(root, policy.template).methods.set(policy.method, policy);
    if (!policy.template.includes('{')) plain.set(`${policy.method} ${policy.template}`, policy);
  }
  const unmatched = unmatchedPolicy(plan.service);
  const apis = new Set(['v1', ...policies.map(({ template }) => apiOf(template))]);
  return {
    policies,
    match(method, path) {
      const asked = method === 'HEAD' ? 'GET' : method;
      const found = plain.get(`${asked} ${path}`) ?? find(root, segmentsOf(path), 0, asked);
      return found ?? (apis.has(apiOf(path)) ? unmatched : undefined);
    },
  };
}

function policiesOf({
  service,
  versions,
  closed = [],
  overrides,
  knowsPermission,
}: ServicePlan): RoutePolicy[] {
  const overrideOf = new Map(overrides.map((one) => [shapeOf(one), one]));
  const all = versions.flatMap(({ digest, routes }) => routes.map((route) => ({ digest, route })));
  const policies = [...Map.groupBy(all, ({ route }) => shapeOf(route))].map(([shape, same]) => {
    const routes = same.map(({ route }) => route);
    const digests = new Set(same.map(({ digest }) => digest));
    const override = overrideOf.get(shape);
    const servedBy = digests.size === versions.length ? undefined : digests;
    return policyOf(routes, { service, knowsPermission, override, servedBy });
  });
  const shapes = new Set(all.map(({ route }) => shapeOf(route)));
  const shut = closed.filter((route) => !shapes.has(shapeOf(route)));
  const shutPolicies = [...Map.groupBy(shut, shapeOf).values()].map((routes) => ({
    ...policyOf(routes, { service, knowsPermission, override: undefined, servedBy: undefined }),
    closed: true,
  }));
  return [...policies, ...shutPolicies];
}

/** `v2` of `/api/v2/shop/items`. */
function apiOf(path: string): string {
  return /^\/api\/(v\d+)/.exec(path)?.[1] ?? '';
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
