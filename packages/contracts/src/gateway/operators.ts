import { z } from 'zod';
import { type AnyEndpoint, endpoint } from '../endpoint.ts';
import { Absent, MalformedRequest, Stale, TooManyRequests } from '../platform/refusals.ts';
import { RouteDescription, ServiceDescription } from '../platform/service-description.ts';
import { ChangeRefused } from './refusals.ts';

/**
 * For who runs the platform. Served on a port of its own, below `/internal/` so that no gateway ever passes it on, to
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
  /** Whether its routes are in use; those of one that is `refused` or `unlearned` are asked for only when nobody else has them. */
  routes: z.enum(['known', 'unlearned', 'refused']),
  breaker: z.enum(['closed', 'half-open', 'open']),
  inFlight: z.int(),
  /** Of the service's requests, while every instance is well. */
  percent: Percent,
  alive: z.boolean(),
  ready: z.boolean(),
});
export type OperatorInstance = z.infer<typeof OperatorInstance>;

export const CanaryOrder = z.strictObject({
  service: ServiceName,
  version: z.string().min(1).max(100),
  /** With at most two decimals; 0 keeps everybody away while another version is up. */
  percent: Percent.multipleOf(0.01),
});

export const RouteOrder = z.strictObject({
  method: RouteDescription.shape.method,
  path: RouteDescription.shape.path,
  /** Answered 403 to everybody. */
  closed: z.boolean().optional(),
  bodyLimitBytes: RouteDescription.shape.bodyLimitBytes,
  deadlineMs: RouteDescription.shape.deadlineMs,
});

const LimitText = z
  .string()
  .regex(/^[1-9]\d{0,8}\/(s|min|h)(,burst=[1-9]\d{0,8})?$/, 'such as 10/min,burst=30');

/** Each list that is given takes the place of the present one; what is left out stays as it is. */
export const GatewayChange = z.strictObject({
  /** Who changes it, for the journal. */
  by: z.string().trim().min(1).max(100),
  canary: z.array(CanaryOrder).max(100).optional(),
  routes: z.array(RouteOrder).max(1_000).optional(),
  limits: z.record(z.string().max(50), LimitText).optional(),
});
export type GatewayChange = z.infer<typeof GatewayChange>;

/** What a service would say of itself can be tried, but only services themselves can say it. */
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
  /** Nothing when it changes nothing. */
  differences: z.array(Difference),
  /** Why it would be refused. */
  conflicts: z.array(z.string()),
  examples: z.array(Example),
});
export type ChangeEffect = z.infer<typeof ChangeEffect>;

/** Where the orders in force hold. */
export const OrdersHeld = z.strictObject({
  /** Grows with each change, at whichever gateway it was made. */
  version: z.int(),
  /** Gateways that have said they hold this version; this one always does. */
  heldBy: z.array(z.string()),
  /** Gateways that discovery knows and that have not said so yet. */
  awaited: z.array(z.string()),
  /** Why they hold at this gateway only, and until when; null where that is not so. */
  onlyHere: z.string().nullable(),
});
export type OrdersHeld = z.infer<typeof OrdersHeld>;

export const JournalEntry = z.strictObject({
  at: z.iso.datetime(),
  by: z.string(),
  address: z.string(),
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
  'The table of routes in use, and what was refused.',
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
    /** Names two services give to different things in their documentation, and what became of them. */
    documentation: z.array(z.string()),
  }),
);

export const listInstances = get(
  '/instances',
  'Every instance: health, breaker, load, version and share.',
  z.strictObject({ items: z.array(OperatorInstance) }),
);

export const listBreakers = get(
  '/breakers',
  'The breaker of every instance.',
  z.strictObject({ items: z.array(OperatorBreaker) }),
);

export const resetBreaker = endpoint({
  method: 'POST',
  path: `${base}/breakers/{instanceId}/reset`,
  summary: 'Closes the breaker of an instance: requests go to it again at once.',
  access,
  repeat: 'natural',
  params: z.strictObject({ instanceId: z.string().max(300) }),
  body: z.strictObject({ by: z.string().trim().min(1).max(100) }),
  replies: { 200: OperatorBreaker },
  refusals: [Absent, TooManyRequests],
});

export const listLimits = endpoint({
  method: 'GET',
  path: `${base}/limits`,
  summary: 'The limits, and with `limit` and `key` what is left of one bucket.',
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
  'What is kept of answers.',
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
  summary: 'Forgets kept answers: of an organisation, of a route, or all.',
  access,
  repeat: 'natural',
  body: z.strictObject({
    by: z.string().trim().min(1).max(100),
    tenantId: z.uuid().optional(),
    route: z.string().max(300).optional(),
  }),
  replies: { 200: z.strictObject({ purged: z.int() }) },
  refusals: [Absent, TooManyRequests],
});

export const getState = get(
  '/state',
  'Generations, versions that are up, weights, and how old the knowledge of instances is.',
  z.strictObject({
    generation: z.int(),
    version: z.string(),
    draining: z.boolean(),
    discovery: z.strictObject({ ageSeconds: z.number(), source: z.enum(['registry', 'disk']) }),
    /** Services whose routes are those of an earlier start. */
    keptRoutes: z.array(z.string()),
    services: z.array(z.strictObject({ service: z.string(), versions: z.array(Share) })),
    canary: z.array(CanaryOrder),
    routes: z.array(RouteOrder),
    limits: z.record(z.string(), z.string()),
    orders: OrdersHeld,
  }),
);

export const tryChange = endpoint({
  method: 'POST',
  path: `${base}/changes/dry-run`,
  summary: 'What a change would do; nothing is applied.',
  access,
  repeat: 'natural',
  body: GatewayTrial,
  replies: { 200: ChangeEffect },
  refusals: [TooManyRequests],
});

export const applyChange = endpoint({
  method: 'POST',
  path: `${base}/changes`,
  summary: 'Changes weights, routes or limits at all gateways; `If-Match` names the state it was decided on.',
  access,
  repeat: 'natural',
  body: GatewayChange,
  replies: { 200: ChangeEffect.extend({ orders: OrdersHeld }) },
  refusals: [ChangeRefused, Stale, MalformedRequest, TooManyRequests],
});

export const listChanges = get(
  '/changes',
  'The last 100 changes by operators, the newest first.',
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
