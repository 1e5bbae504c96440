import type { Log } from '@marimo/observability';
import { type EffectParts, effectOf } from './effect.ts';
import type { Journal } from './journal.ts';
import { tagOf } from './routes.ts';
import { SharedOverrides, type SharedOverridesParts } from './shared-overrides.ts';

export interface SharingParts extends EffectParts, Pick<SharedOverridesParts, 'registry' | 'self' | 'clock'> {
  readonly registry: EffectParts['registry'] & SharedOverridesParts['registry'];
  readonly journal: Journal;
  readonly log: Log;
}

/** The overrides of this gateway, shared with all others. */
export function sharedOverridesOf(parts: SharingParts): SharedOverrides {
  return new SharedOverrides({
    ...parts,
    tag: () => tagOf(parts),
    generation: () => parts.routing.generation,
    differences: ({ canary, routes, limits }) =>
      effectOf(parts, { canary: [...canary], routes: [...routes], limits: { ...limits } }).differences,
  });
}
