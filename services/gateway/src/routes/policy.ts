import type { RouteDescription, ServiceDescription } from '@marimo/contracts';
import { founding, invitations, people, secondFactors, sessions } from '@marimo/contracts/users';
import type { LimitName } from '../settings.ts';
import { type TrafficClass, trafficClassOf } from './traffic-class.ts';

/** What the gateway must know of a request before it passes it on. */
export interface RoutePolicy {
  readonly service: string;
  readonly method: RouteDescription['method'];
  /** The path's template, a label of metrics; `unmatched` where no description names the path. */
  readonly template: string;
  /** 403 to every caller: it declares no access, or needs an undeclared permission. */
  readonly closed: boolean;
  /** Whether a valid access token is needed; on a public route a token is not even looked at. */
  readonly bearer: boolean;
  /** The permission it needs, which the service checks again; undefined where versions differ or none is needed. */
  readonly permission: string | undefined;
  readonly stepUp: boolean;
  readonly limit: LimitName;
  readonly bodyLimitBytes: number;
  readonly deadlineMs: number;
  readonly cache: RouteDescription['cache'];
  readonly deprecated: RouteDescription['deprecated'];
  readonly polled: boolean;
  /** When it is turned away under overload. */
  readonly trafficClass: TrafficClass;
  /** The body is read as it arrives: an import or an upload. */
  readonly streams: boolean;
  /** Its answers may hold secrets, which must not be kept. */
  readonly secret: boolean;
  /** Digests of the descriptions that name it; undefined where every present version of its service does. */
  readonly servedBy: ReadonlySet<string> | undefined;
}

/** What an operator says of one route, over what its service says. */
export interface RouteOverride {
  readonly method: RouteDescription['method'];
  readonly path: string;
  readonly closed?: boolean | undefined;
  readonly bodyLimitBytes?: number | undefined;
  readonly deadlineMs?: number | undefined;
}

/** Where guessing or flooding pays: an own limit for each address. */
const ownLimits: ReadonlyMap<string, LimitName> = new Map([
  [keyOf(sessions.login), 'login'],
  [keyOf(founding.registerWithAccount), 'login'], // takes a password
  [keyOf(sessions.register), 'register'],
  [keyOf(founding.found), 'register'],
  ...[
    secondFactors.finishLogin,
    secondFactors.loginWithPasskey,
    people.askPasswordReset,
    people.finishPasswordReset,
    people.finishEmailVerification,
    invitations.look,
    invitations.accept,
  ].map((endpoint) => [keyOf(endpoint), 'proof'] as const),
]);
const defaultBodyLimitBytes = 1_048_576;
const defaultDeadlineMs = 15_000;

export interface PolicyParts {
  readonly service: ServiceDescription['service'];
  /** Whether any service declares the permission. */
  readonly knowsPermission: (name: string) => boolean;
  readonly override: RouteOverride | undefined;
  readonly servedBy: ReadonlySet<string> | undefined;
}

/**
 * The policy of one route, as several versions of its service describe it. Where they differ the gateway is as strict as
 * the strictest about who calls and as generous as the most generous about time and size: each version checks again.
 */
export function policyOf(versions: readonly RouteDescription[], parts: PolicyParts): RoutePolicy {
  const [first] = versions;
  if (first === undefined) throw new Error('No version describes the route');
  const { service, knowsPermission, override, servedBy } = parts;
  const accesses = [...new Set(versions.map(({ access }) => access))];
  const permissions = accesses.filter((access) => isPermission(access));
  const known = permissions.every(knowsPermission);
  return {
    service,
    method: first.method,
    template: first.path,
    closed: override?.closed === true || accesses.includes(null) || !known,
    bearer: accesses.some((access) => access !== 'public'),
    permission: accesses.length === 1 ? permissions[0] : undefined,
    stepUp: versions.some(({ stepUp }) => stepUp === true),
    limit: ownLimits.get(keyOf(first)) ?? 'caller',
    bodyLimitBytes:
      override?.bodyLimitBytes ??
      most(
        versions.map((one) => one.bodyLimitBytes),
        defaultBodyLimitBytes,
      ),
    deadlineMs:
      override?.deadlineMs ??
      most(
        versions.map((one) => one.deadlineMs),
        defaultDeadlineMs,
      ),
    cache: versions.every(({ cache }) => cache !== undefined) ? shortest(versions) : undefined,
    deprecated: versions.map((one) => one.deprecated).find((one) => one !== undefined),
    polled: versions.every(({ polled }) => polled === true),
    trafficClass: trafficClassOf(first),
    streams: versions.some(({ streams }) => streams === true),
    secret: versions.some(({ secret }) => secret === true),
    servedBy,
  };
}

/** A path that no description names: the service itself answers 404. */
export function unmatchedPolicy(service: string): RoutePolicy {
  return {
    service,
    method: 'GET',
    template: 'unmatched',
    closed: false,
    bearer: true,
    permission: undefined,
    stepUp: false,
    limit: 'caller',
    bodyLimitBytes: defaultBodyLimitBytes,
    deadlineMs: defaultDeadlineMs,
    cache: undefined,
    deprecated: undefined,
    polled: false,
    trafficClass: 'read',
    streams: false,
    secret: true, // unknown
    servedBy: undefined,
  };
}

export function isPermission(access: RouteDescription['access']): access is string {
  return access !== null && access !== 'public' && access !== 'signed-in';
}

export function keyOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path}`;
}

function most(given: readonly (number | undefined)[], otherwise: number): number {
  return Math.max(...given.map((value) => value ?? otherwise));
}

function shortest(versions: readonly RouteDescription[]): RouteDescription['cache'] {
  const all = versions.flatMap(({ cache }) => (cache === undefined ? [] : [cache]));
  return {
    freshMs: Math.min(...all.map(({ freshMs }) => freshMs)),
    staleIfErrorMs: Math.min(...all.map(({ staleIfErrorMs }) => staleIfErrorMs)),
  };
}
