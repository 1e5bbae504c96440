import type { Cache } from '@marimo/cache';
import { Absent, MalformedRequest } from '@marimo/contracts';
import { operators, refusals } from '@marimo/contracts/gateway';
import { type Call, etagOf, handle, type Route, reply, requireMatch } from '@marimo/service-kit';
import type { ResponseCache } from '../response-cache/index.ts';
import { effectOf, overridesAfter } from './effect.ts';
import type { Journal } from './journal.ts';
import type { SharedOverrides } from './shared-overrides.ts';
import { instanceViews, routeView, serviceShares, type ViewParts } from './views.ts';

export interface OperatorParts extends ViewParts {
  readonly cache: Cache;
  readonly responses: ResponseCache;
  readonly journal: Journal;
  readonly sharedOverrides: SharedOverrides;
  readonly version: string;
  readonly draining: () => boolean;
  /** Names used twice in the documentation, and how each was renamed. */
  readonly documentConflicts: () => readonly string[];
  readonly clock: () => Date;
}

/** Identifies what requests meet at this gateway; contains the version of the overrides, so that no tag of another gateway matches. */
export function tagOf({ routing, overrides }: Pick<ViewParts, 'routing' | 'overrides'>): string {
  return etagOf(versionOf({ routing, overrides }));
}

function versionOf({ routing, overrides }: Pick<ViewParts, 'routing' | 'overrides'>): string {
  return `${routing.generation}.${overrides.revision.version}`;
}

export function operatorRoutes(parts: OperatorParts): readonly Route[] {
  return [
    ...tableRoutes(parts),
    ...instanceRoutes(parts),
    ...limitRoutes(parts),
    ...cacheRoutes(parts),
    ...changeRoutes(parts),
  ];
}

function tableRoutes(parts: OperatorParts): Route[] {
  const { routing, overrides, registry } = parts;
  return [
    handle(operators.listRoutes, async () => {
      const refused = routing.services.flatMap((service) =>
        (routing.book(service)?.refused ?? []).map(({ digest, version, mistakes }) => ({
          service,
          version,
          routesDigest: digest,
          mistakes: [...mistakes],
        })),
      );
      const items = routing.policies().map((policy) => routeView(policy, parts));
      const documentation = [...parts.documentConflicts()];
      const { generation } = routing;
      return reply(200, { generation, items, refused, documentation }, { etag: tagOf(parts) });
    }),
    handle(operators.getState, async () => {
      const { generation } = routing;
      const { canary, routes, limits } = overrides.current;
      const state = {
        generation,
        version: parts.version,
        draining: parts.draining(),
        discovery: { ageSeconds: registry.ageSeconds(), source: registry.source() },
        keptRoutes: [...routing.keptServices],
        services: routing.services.map((service) => ({ service, versions: serviceShares(service, parts) })),
        canary: [...canary],
        routes: [...routes],
        limits: { ...limits },
        orders: await parts.sharedOverrides.held(),
      };
      return reply(200, state, { etag: tagOf(parts) });
    }),
  ];
}

function instanceRoutes(parts: OperatorParts): Route[] {
  const { routing, upstreams, breakers } = parts;
  const all = () =>
    routing.services.flatMap((service) => upstreams.all(service).map(({ instance }) => instance));
  return [
    handle(operators.listInstances, async () => reply(200, { items: await instanceViews(parts) })),
    handle(operators.listBreakers, async () => {
      const items = all().map((one) => ({ id: one.id, service: one.service, state: breakers.stateOf(one) }));
      return reply(200, { items });
    }),
    handle(operators.resetBreaker, async (call) => {
      const instance = all().find(({ id }) => id === call.params.instanceId);
      if (instance === undefined) throw new Absent({ resource: 'instance of this id' });
      const before = breakers.stateOf(instance);
      breakers.reset(instance);
      const after = breakers.stateOf(instance);
      const differences = [{ what: `breaker ${instance.id}`, before, after }];
      await parts.journal.add(entryOf(call, parts, 'breaker reset', differences));
      return reply(200, { id: instance.id, service: instance.service, state: after });
    }),
  ];
}

function limitRoutes({ overrides, cache }: OperatorParts): Route[] {
  return [
    handle(operators.listLimits, async ({ query: { limit, key } }) => {
      const items = Object.entries(overrides.limits).map(([name, { perSecond, burst }]) => ({
        limit: name,
        perSecond,
        burst,
        from: Object.hasOwn(overrides.current.limits, name) ? ('operator' as const) : ('settings' as const),
      }));
      if (limit === undefined || key === undefined) return reply(200, { items, bucket: null });
      const known = Object.entries(overrides.limits).find(([name]) => name === limit);
      if (known === undefined) throw new Absent({ resource: 'limit of this name' });
      // Nothing is taken: that only reads the level.
      const { remaining, decidedBy } = await cache.take(`gateway:${limit}:${key}`, known[1], 0);
      return reply(200, { items, bucket: { limit, key, remaining, decidedBy } });
    }),
  ];
}

function cacheRoutes(parts: OperatorParts): Route[] {
  const { responses } = parts;
  return [
    handle(operators.getCache, async () => {
      const state = responses.state();
      const asked = state.hits + state.misses;
      const hitRate = asked === 0 ? null : state.hits / asked;
      return reply(200, { enabled: state.limitBytes > 0, ...state, hitRate });
    }),
    handle(operators.purgeCache, async (call) => {
      const { tenantId, route } = call.body;
      const purged = responses.purge({ tenantId, route });
      const what = `purge of ${[tenantId, route].filter((one) => one !== undefined).join(' ') || 'everything'}`;
      await parts.journal.add(entryOf(call, parts, what, []));
      return reply(200, { purged });
    }),
  ];
}

function changeRoutes(parts: OperatorParts): Route[] {
  const { routing, overrides, journal, sharedOverrides } = parts;
  return [
    handle(operators.tryChange, async ({ body }) => {
      const effect = effectOf(parts, body);
      return reply(200, effect, { etag: tagOf(parts) });
    }),
    handle(operators.applyChange, async (call) => {
      const applied = await sharedOverrides.inTurn(async () => {
        if (call.ifMatch === undefined) {
          const detail = 'name the ETag of the state the change is based on';
          throw new MalformedRequest({ errors: [{ pointer: 'if-match', detail }] });
        }
        const found = await sharedOverrides.catchUp();
        requireMatch(call, versionOf(parts));
        const effect = effectOf(parts, call.body);
        if (effect.conflicts.length > 0) throw new refusals.ChangeRefused({ conflicts: effect.conflicts });
        if (effect.differences.length > 0) {
          await sharedOverrides.apply(overridesAfter(overrides.current, call.body), call.body.by, found);
          await journal.add(entryOf(call, parts, 'change', effect.differences));
        }
        return { ...effect, generation: routing.generation };
      });
      const held = await sharedOverrides.untilHeld();
      return reply(200, { ...applied, orders: held }, { etag: tagOf(parts) });
    }),
    handle(operators.listChanges, async () => reply(200, { items: await journal.latest() })),
  ];
}

function entryOf(
  {
    body,
    address,
  }: Call<typeof operators.resetBreaker | typeof operators.applyChange | typeof operators.purgeCache>,
  { clock, routing }: OperatorParts,
  what: string,
  differences: operators.JournalEntry['differences'],
): operators.JournalEntry {
  return {
    at: clock().toISOString(),
    by: body.by,
    address,
    generation: routing.generation,
    what,
    differences,
  };
}
