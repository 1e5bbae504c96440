import type { operators } from '@marimo/contracts/gateway';
import type { Instance, Registry } from '@marimo/discovery';
import type { CanaryWeight } from '../proxy/index.ts';
import type { RoutePolicy, Routing } from '../routes/index.ts';
import type { OverrideSet, Overrides } from './overrides.ts';
import { sharesOf } from './shares.ts';

type Difference = operators.ChangeEffect['differences'][number];

export interface EffectParts {
  readonly routing: Routing;
  readonly overrides: Overrides;
  readonly registry: Pick<Registry, 'instances'>;
}

type Trial = Pick<operators.GatewayTrial, 'canary' | 'routes' | 'limits' | 'descriptions'>;

const longestExamples = 20;

/** The overrides that would be in force: what a change leaves out stays as it is. */
export function overridesAfter(now: OverrideSet, { canary, routes, limits }: Trial): OverrideSet {
  return { canary: canary ?? now.canary, routes: routes ?? now.routes, limits: limits ?? now.limits };
}

/** What a change would do. Applies nothing. */
export function effectOf(
  { routing, overrides, registry }: EffectParts,
  trial: Trial,
): operators.ChangeEffect {
  const now = overrides.current;
  const next = overridesAfter(now, trial);
  const described = trial.descriptions ?? [];
  const conflicts = [...overrides.mistakesIn(next), ...described.flatMap((one) => routing.mistakesIn(one))];
  const before = policiesByName(routing.policies());
  // One after the other, so that what does not compile is told and not thrown.
  const after = conflicts.length > 0 ? before : policiesByName(policiesAfter(routing, next, described));
  const differences = [
    ...weightDifferences(now.canary, next.canary),
    ...limitDifferences(now.limits, next.limits),
    ...policyDifferences(before, after),
  ];
  const services = new Set([...now.canary, ...next.canary].map(({ service }) => service));
  const touched = policyDifferences(before, after).map(({ what }) => what.slice('route '.length));
  const ofServices = [...after.values()]
    .filter(({ service }) => trial.canary !== undefined && services.has(service))
    .map(nameOf);
  const examples = [...new Set([...touched, ...ofServices])].slice(0, longestExamples).map((name) => {
    const policy = after.get(name);
    const able = policy === undefined ? [] : ableTo(policy, registry.instances(policy.service), routing);
    const weights = next.canary.filter(({ service }) => service === policy?.service);
    return {
      request: name,
      before: told(before.get(name)),
      after: told(policy),
      goesTo: policy?.closed ? [] : sharesOf(able, (one) => routing.versionOf(one), weights),
    };
  });
  return { generation: routing.generation, differences, conflicts, examples };
}

function policiesAfter(
  routing: Routing,
  next: OverrideSet,
  described: NonNullable<Trial['descriptions']>,
): readonly RoutePolicy[] {
  const present = routing.preview(next.routes);
  return described.reduce((policies, one) => {
    const ofService = routing.preview(next.routes, one).filter(({ service }) => service === one.service);
    return [...policies.filter(({ service }) => service !== one.service), ...ofService];
  }, present);
}

function ableTo(policy: RoutePolicy, instances: readonly Instance[], routing: Routing): Instance[] {
  return instances.filter((one) => {
    const digest = routing.digestOf(one);
    return (
      policy.servedBy === undefined || policy.servedBy.has('described') || policy.servedBy.has(digest ?? '')
    );
  });
}

function weightDifferences(now: readonly CanaryWeight[], next: readonly CanaryWeight[]): Difference[] {
  const named = (weights: readonly CanaryWeight[]) =>
    new Map(weights.map(({ service, version, percent }) => [`weight ${service}@${version}`, `${percent} %`]));
  return differencesOf(named(now), named(next));
}

function limitDifferences(now: OverrideSet['limits'], next: OverrideSet['limits']): Difference[] {
  const named = (limits: OverrideSet['limits']) =>
    new Map(Object.entries(limits).map(([name, text]) => [`limit ${name}`, text]));
  return differencesOf(named(now), named(next));
}

function policyDifferences(
  now: ReadonlyMap<string, RoutePolicy>,
  next: ReadonlyMap<string, RoutePolicy>,
): Difference[] {
  const named = (policies: ReadonlyMap<string, RoutePolicy>) =>
    new Map([...policies].map(([name, policy]) => [`route ${name}`, told(policy) ?? '']));
  return differencesOf(named(now), named(next));
}

function differencesOf(now: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>): Difference[] {
  const names = [...new Set([...now.keys(), ...next.keys()])].sort();
  return names
    .filter((name) => now.get(name) !== next.get(name))
    .map((what) => ({ what, before: now.get(what) ?? null, after: next.get(what) ?? null }));
}

/** A policy in words; what two policies say alike is alike to those who call. */
function told(policy: RoutePolicy | undefined): string | null {
  if (policy === undefined) return null;
  if (policy.closed) return 'closed';
  const { bearer, permission, stepUp, limit, bodyLimitBytes, deadlineMs, deprecated } = policy;
  const words = [
    permission ?? (bearer ? 'signed-in' : 'public'),
    stepUp ? 'step-up' : undefined,
    `limit ${limit}`,
    `${bodyLimitBytes} bytes`,
    `${deadlineMs} ms`,
    deprecated && `deprecated, gone ${deprecated.sunset}`,
  ];
  return words.filter((word) => word !== undefined).join(', ');
}

function policiesByName(policies: readonly RoutePolicy[]): Map<string, RoutePolicy> {
  return new Map(policies.map((policy) => [nameOf(policy), policy]));
}

function nameOf({ method, template }: RoutePolicy): string {
  return `${method} ${template}`;
}
