import type { Log } from '@marimo/observability';
import { type EffectParts, effectOf } from './effect.ts';
import type { Journal } from './journal.ts';
import { tagOf } from './routes.ts';
import { SharedOrders, type SharedOrdersParts } from './shared-orders.ts';

interface SharingParts extends EffectParts, Pick<SharedOrdersParts, 'registry' | 'self' | 'clock'> {
  readonly registry: EffectParts['registry'] & SharedOrdersParts['registry'];
  readonly journal: Journal;
  readonly log: Log;
}

/** The orders of this gateway, shared with all others. */
export function sharedOrdersOf(parts: SharingParts): SharedOrders {
  return new SharedOrders({
    ...parts,
    tag: () => tagOf(parts),
    generation: () => parts.routing.generation,
    differences: ({ canary, routes, limits }) =>
      effectOf(parts, { canary: [...canary], routes: [...routes], limits: { ...limits } }).differences,
  });
}
