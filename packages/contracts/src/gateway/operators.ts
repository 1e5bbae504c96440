import { z } from 'zod';
import { type AnyEndpoint, endpoint } from '../endpoint.ts';
import { personal } from '../personal.ts';
import { Absent, MalformedRequest, Stale, TooManyRequests } from '../platform/refusals.ts';
import { RouteDescription, ServiceDescription } from '../platform/service-description.ts';
import { ChangeRefused } from './refusals.ts';

/**
 * For the operators of the platform. Served on a port of its own, below `/internal/` so that no gateway passes it on, to
 * holders of `OPERATOR_TOKEN`; no user of any organisation is one.
 */
const base = '/internal/gateway';
const access = 'signed-in';

const Percent = z.number().min(0).max(100);
const ServiceName = z.string().regex(/^[a-z][a-z0-9-]*$/);

export const OperatorRoute = z.strictObject({
  service: z.string(),
  method: RouteDescription.shape.method,
  path: z.string(),
  /** `public`, `signed-in`, or the permission; null where versions differ. */
  access: z.string().nullable(),
  closed: z.boolean(),
  stepUp: z.boolean(),
  limit: z.string(),
  bodyLimitBytes: z.int(),
  deadlineMs: z.int(),
  cache: RouteDescription.shape.cache.nullable(),
  deprecated: RouteDescription.shape.deprecated.nullable(),
  /** Versions of the service that have it. */
  versions: z.array(z.string()),
  /** Where the gateway has it from: its own contracts, the service itself, or the disk; `operator` where one changed it. */
  from: z.array(z.enum(['contracts', 'service', 'disk', 'operator'])),
});
export type OperatorRoute = z.infer<typeof OperatorRoute>;

export const OperatorInstance = z.strictObject({
  id: z.string(),
  service: z.string(),
  host: z.string(),
  port: z.int(),
  version: z.string(),
  routesDigest: z.string().nullable(),
  /** Whether its routes are in use; those of one that is `refused` or `unlearned` are used only when no other instance has them. */
  routes: z.enum(['known', 'unlearned', 'refused']),
  breaker: z.enum(['closed', 'half-open', 'open']),
  inFlight: z.int(),
  /** Of the service's requests, while every instance is well. */
  percent: Percent,
  alive: z.boolean(),
  ready: z.boolean(),
});
export type OperatorInstance = z.infer<typeof OperatorInstance>;

export const CanaryOverride = z.strictObject({
  service: ServiceName,
  version: z.string().min(1).max(100),
  /** With at most two decimals; 0 sends no client while another version runs. */
  percent: Percent.multipleOf(0.01),
});

export const RouteOverride = z.strictObject({
  method: RouteDescription.shape.method,
  path: RouteDescription.shape.path,
  /** 403 to every caller. */
  closed: z.boolean().optional(),
  bodyLimitBytes: RouteDescription.shape.bodyLimitBytes,
  deadlineMs: RouteDescription.shape.deadlineMs,
});

const LimitText = z
  .string()
  .regex(/^[1-9]\d{0,8}\/(s|min|h)(,burst=[1-9]\d{0,8})?$/, 'must be a limit such as 10/min,burst=30');

/** A list replaces the present one; what is left out stays as it is. */
export const GatewayChange = z.strictObject({
  /** The author, for the journal. */
  by: personal(z.string().trim().min(1).max(100)),
  canary: z.array(CanaryOverride).max(100).optional(),
  routes: z.array(RouteOverride).max(1_000).optional(),
  limits: z.record(z.string().max(50), LimitText).optional(),
});
export type GatewayChange = z.infer<typeof GatewayChange>;

/** Descriptions can be tried here, but only services themselves can publish them. */
export const GatewayTrial = GatewayChange.extend({
  descriptions: z.array(ServiceDescription).max(20).optional(),
});
export type GatewayTrial = z.infer<typeof GatewayTrial>;

const Difference = z.strictObject({
  what: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
const Share = z.strictObject({ version: z.string(), instances: z.int(), percent: Percent });
const Example = z.strictObject({
  request: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  goesTo: z.array(Share),
});

export const ChangeEffect = z.strictObject({
  generation: z.int(),
  /** Empty when the change has no effect. */
  differences: z.array(Difference),
  /** Why the change would be refused. */
  conflicts: z.array(z.string()),
  examples: z.array(Example),
});
export type ChangeEffect = z.infer<typeof ChangeEffect>;

/** Where the overrides in force hold. */
export const OverridesHeld = z.strictObject({
  /** Grows with each change, at whichever gateway it was made. */
  version: z.int(),
  /** Gateways that have confirmed this version; always includes this one. */
  heldBy: z.array(z.string()),
  /** Gateways that discovery knows and that have not confirmed it yet. */
  awaited: z.array(z.string()),
  /** Why they hold at this gateway only, and until when; null where that is not so. */
  onlyHere: z.string().nullable(),
});
export type OverridesHeld = z.infer<typeof OverridesHeld>;

export const JournalEntry = z.strictObject({
  at: z.iso.datetime(),
  by: personal(z.string()),
  address: personal(z.string()),
  generation: z.int(),
  what: z.string(),
  differences: z.array(Difference),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

const OperatorBreaker = z.strictObject({
  id: z.string(),
  service: z.string(),
  state: z.enum(['closed', 'half-open', 'open']),
});

const get = <R extends z.ZodType>(path: string, summary: string, reply: R) =>
  endpoint({
    method: 'GET',
    path: `${base}${path}`,
    summary,
    access,
    replies: { 200: reply },
    refusals: [TooManyRequests],
  });

export const listRoutes = get(
  '/routes',
  'Lists the routes in use and the refused descriptions.',
  z.strictObject({
    generation: z.int(),
    items: z.array(OperatorRoute),
    refused: z.array(
      z.strictObject({
        service: z.string(),
        version: z.string(),
        routesDigest: z.string(),
        mistakes: z.array(z.string()),
      }),
    ),
    /** Names that two services use for different shapes in their documentation, and how each was renamed. */
    documentation: z.array(z.string()),
  }),
);

export const listInstances = get(
  '/instances',
  'Lists every instance with its health, breaker, load, version and share.',
  z.strictObject({ items: z.array(OperatorInstance) }),
);

export const listBreakers = get(
  '/breakers',
  'Lists the breaker of every instance.',
  z.strictObject({ items: z.array(OperatorBreaker) }),
);

export const resetBreaker = endpoint({
  method: 'POST',
  path: `${base}/breakers/{instanceId}/reset`,
  summary: 'Closes the breaker of an instance, so that it gets requests again at once.',
  access,
  repeat: 'natural',
  params: z.strictObject({ instanceId: z.string().max(300) }),
  body: z.strictObject({ by: personal(z.string().trim().min(1).max(100)) }),
  replies: { 200: OperatorBreaker },
  refusals: [Absent, TooManyRequests],
});

export const listLimits = endpoint({
  method: 'GET',
  path: `${base}/limits`,
  summary: 'Lists the limits and, with `limit` and `key`, the tokens left in one bucket.',
  access,
  query: z.strictObject({
    limit: z.string().max(50).optional(),
    /** What the limit counts: a session, a person, an address network. */
    key: z.string().max(300).optional(),
  }),
  replies: {
    200: z.strictObject({
      items: z.array(
        z.strictObject({
          limit: z.string(),
          perSecond: z.number(),
          burst: z.int(),
          from: z.enum(['settings', 'operator']),
        }),
      ),
      bucket: z
        .strictObject({
          limit: z.string(),
          key: z.string(),
          remaining: z.int(),
          decidedBy: z.enum(['shared', 'local']),
        })
        .nullable(),
    }),
  },
  refusals: [Absent, MalformedRequest, TooManyRequests],
});

export const getCache = get(
  '/cache',
  'Returns the size and hit rate of the kept answers.',
  z.strictObject({
    enabled: z.boolean(),
    entries: z.int(),
    bytes: z.int(),
    limitBytes: z.int(),
    hits: z.int(),
    misses: z.int(),
    hitRate: z.number().nullable(),
  }),
);

export const purgeCache = endpoint({
  method: 'POST',
  path: `${base}/cache/purge`,
  summary: 'Removes the kept answers of an organisation, of a route, or all.',
  access,
  repeat: 'natural',
  body: z.strictObject({
    by: personal(z.string().trim().min(1).max(100)),
    tenantId: z.uuid().optional(),
    route: z.string().max(300).optional(),
  }),
  replies: { 200: z.strictObject({ purged: z.int() }) },
  refusals: [Absent, TooManyRequests],
});

export const getState = get(
  '/state',
  'Returns the generation, running versions, overrides, and the age of the discovery data.',
  z.strictObject({
    generation: z.int(),
    version: z.string(),
    draining: z.boolean(),
    discovery: z.strictObject({ ageSeconds: z.number(), source: z.enum(['registry', 'disk']) }),
    /** Services whose routes are those of an earlier start. */
    keptRoutes: z.array(z.string()),
    services: z.array(z.strictObject({ service: z.string(), versions: z.array(Share) })),
    canary: z.array(CanaryOverride),
    routes: z.array(RouteOverride),
    limits: z.record(z.string(), z.string()),
    orders: OverridesHeld,
  }),
);

export const tryChange = endpoint({
  method: 'POST',
  path: `${base}/changes/dry-run`,
  summary: 'Returns the effect of a change without applying it.',
  access,
  repeat: 'natural',
  body: GatewayTrial,
  replies: { 200: ChangeEffect },
  refusals: [TooManyRequests],
});

export const applyChange = endpoint({
  method: 'POST',
  path: `${base}/changes`,
  summary:
    'Changes weights, routes or limits at all gateways. `If-Match` names the state the change is based on.',
  access,
  repeat: 'natural',
  body: GatewayChange,
  replies: { 200: ChangeEffect.extend({ orders: OverridesHeld }) },
  refusals: [ChangeRefused, Stale, MalformedRequest, TooManyRequests],
});

export const listChanges = get(
  '/changes',
  'Lists the last 100 changes by operators, newest first.',
  z.strictObject({ items: z.array(JournalEntry) }),
);

export const operatorEndpoints: readonly AnyEndpoint[] = [
  listRoutes,
  listInstances,
  listBreakers,
  resetBreaker,
  listLimits,
  getCache,
  purgeCache,
  getState,
  tryChange,
  applyChange,
  listChanges,
];
