import type { Instance } from '@marimo/discovery';
import type { CanaryWeight } from '../proxy/index.ts';

export interface Share {
  readonly version: string;
  readonly instances: number;
  /** Of the requests, while every instance is well and equally fast. */
  readonly percent: number;
}

/** How the requests to one service, or to one route of it, are spread over the versions that can answer them. */
export function sharesOf(
  instances: readonly Instance[],
  versionOf: (instance: Instance) => string,
  weights: readonly CanaryWeight[],
): Share[] {
  const byVersion = [...Map.groupBy(instances, versionOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const weightOf = new Map(weights.map(({ version, percent }) => [version, percent]));
  const applies = byVersion.length > 1 && weights.length > 0;
  const weighted = byVersion.filter(([version]) => applies && weightOf.has(version));
  const others = byVersion.filter(([version]) => !(applies && weightOf.has(version)));
  const given = weighted.reduce((sum, [version]) => sum + (weightOf.get(version) ?? 0), 0);
  const count = others.reduce((sum, [, of]) => sum + of.length, 0);
  // Without unweighted versions the rest goes to the weighted ones, by their number of instances.
  const willing = weighted.filter(([version]) => (weightOf.get(version) ?? 0) > 0);
  const helpers = willing.reduce((sum, [, of]) => sum + of.length, 0);
  return byVersion.map(([version, of]) => {
    const own = applies ? weightOf.get(version) : undefined;
    const rest = 100 - given;
    const percent =
      own === undefined
        ? (rest * of.length) / count
        : own + (count === 0 && own > 0 ? (rest * of.length) / helpers : 0);
    return { version, instances: of.length, percent: Math.round(percent * 100) / 100 };
  });
}
