import { join } from 'node:path';
import type { BucketLimit } from '@marimo/cache';
import { keptFile } from './kept-file.ts';
import { type OperatorSettings, Overrides, StoredOverrides } from './operators/index.ts';
import type { Knowledge } from './proxy/index.ts';
import { KeptTable, Routing, type RoutingParts } from './routes/index.ts';
import type { LimitName } from './settings.ts';

export interface RoutingStateParts extends Omit<RoutingParts, 'kept'> {
  /** Where the last good table and the overrides are kept; undefined keeps nothing. */
  readonly home: string | undefined;
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  readonly canary: OperatorSettings['canary'];
}

export interface RoutingState {
  readonly routing: Routing;
  readonly overrides: Overrides;
  /** What decides which instance answers. */
  readonly knowledge: Knowledge;
}

/** Everything that decides where a request goes and what it meets on the way: what was learned, and what operators overrode. */
export function createRoutingState(parts: RoutingStateParts): RoutingState {
  const { home, limits, canary, log } = parts;
  const inHome = (name: string) => (home === undefined ? undefined : join(home, name));
  const [table, stored] = [inHome('routes.json'), inHome('orders.json')];
  const routing = new Routing({
    ...parts,
    kept: table === undefined ? undefined : keptFile(table, KeptTable),
  });
  const kept = stored === undefined ? undefined : keptFile(stored, StoredOverrides);
  const overrides = new Overrides({ routing, limits, canary, kept, log });
  const knowledge: Knowledge = {
    digestOf: (instance) =>
      routing.routeStatusOf(instance) === 'known' ? routing.digestOf(instance) : undefined,
    versionOf: (instance) => routing.versionOf(instance),
    weightsOf: (service) => overrides.weightsOf(service),
    onChange(listener) {
      const leave = [routing.onChange(listener), overrides.onChange(listener)];
      return () => {
        for (const one of leave) one();
      };
    },
  };
  return { routing, overrides, knowledge };
}
