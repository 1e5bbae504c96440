import { join } from 'node:path';
import type { BucketLimit } from '@marimo/cache';
import { keptFile } from './kept-file.ts';
import { KeptOrders, type OperatorSettings, Orders } from './operators/index.ts';
import type { Knowledge } from './proxy/index.ts';
import { KeptTable, Routing, type RoutingParts } from './routes/index.ts';
import type { LimitName } from './settings.ts';

export interface SteeringParts extends Omit<RoutingParts, 'kept'> {
  /** Where the last good table and the orders are kept; undefined keeps nothing. */
  readonly home: string | undefined;
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  readonly canary: OperatorSettings['canary'];
}

export interface Steering {
  readonly routing: Routing;
  readonly orders: Orders;
  /** What decides which instance answers. */
  readonly knowledge: Knowledge;
}

/** Everything that decides where a request goes and what it meets on the way: what was learned, and what was ordered. */
export function createSteering(parts: SteeringParts): Steering {
  const { home, limits, canary, log } = parts;
  const inHome = (name: string) => (home === undefined ? undefined : join(home, name));
  const [table, ordered] = [inHome('routes.json'), inHome('orders.json')];
  const routing = new Routing({
    ...parts,
    kept: table === undefined ? undefined : keptFile(table, KeptTable),
  });
  const kept = ordered === undefined ? undefined : keptFile(ordered, KeptOrders);
  const orders = new Orders({ routing, limits, canary, kept, log });
  const knowledge: Knowledge = {
    digestOf: (instance) =>
      routing.standingOf(instance) === 'known' ? routing.digestOf(instance) : undefined,
    versionOf: (instance) => routing.versionOf(instance),
    weightsOf: (service) => orders.weightsOf(service),
    onChange(listener) {
      const leave = [routing.onChange(listener), orders.onChange(listener)];
      return () => {
        for (const one of leave) one();
      };
    },
  };
  return { routing, orders, knowledge };
}
