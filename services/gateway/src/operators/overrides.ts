import type { BucketLimit } from '@marimo/cache';
import { operators } from '@marimo/contracts/gateway';
import type { Log } from '@marimo/observability';
import { z } from 'zod';
import type { KeptFile } from '../kept-file.ts';
import { type CanaryWeight, mistakesInWeights } from '../proxy/index.ts';
import type { RouteOverride, Routing } from '../routes/index.ts';
import { Limit, type LimitName } from '../settings.ts';

/** What operators have set, in place of what the settings and the services declare. */
export interface OverrideSet {
  readonly canary: readonly CanaryWeight[];
  readonly routes: readonly RouteOverride[];
  /** As an operator writes them, such as `10/min,burst=30`; the other limits come from the settings. */
  readonly limits: Readonly<Record<string, string>>;
}

/** On disk, with the setting they replaced: a setting that has changed since takes precedence. */
export const StoredOverrides = z.strictObject({
  format: z.literal(1),
  canary: z.array(operators.CanaryOverride),
  routes: z.array(operators.RouteOverride),
  limits: z.record(z.string(), z.string()),
  canarySetting: z.array(operators.CanaryOverride),
  /** Grows with each change, at whichever gateway it is made. */
  version: z.int().min(0).default(0),
  /** The last version that was shared with all gateways; a greater one of our own is known here only. */
  sharedVersion: z.int().min(0).default(0),
});
export type StoredOverrides = z.infer<typeof StoredOverrides>;

export interface OverridesParts {
  readonly routing: Routing;
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  readonly canary: readonly CanaryWeight[];
  readonly kept: KeptFile<StoredOverrides> | undefined;
  readonly log: Log;
}

/** Identifies a set of overrides: see `StoredOverrides`. */
export type Revision = Pick<StoredOverrides, 'version' | 'sharedVersion'>;

/** The overrides in force. Requests read them as they are at that moment. */
export class Overrides {
  readonly #parts: OverridesParts;
  readonly #limits: Record<LimitName, BucketLimit>;
  readonly #listeners = new Set<() => void>();
  #current: OverrideSet;
  #revision: Revision = { version: 0, sharedVersion: 0 };
  #weights: ReadonlyMap<string, readonly CanaryWeight[]> = new Map();

  constructor(parts: OverridesParts) {
    this.#parts = parts;
    this.#limits = { ...parts.limits };
    this.#current = { canary: parts.canary, routes: [], limits: {} };
    const kept = parts.kept?.read();
    const first = kept && this.overSettings(kept);
    // A route that is not there just now may come back, and must then be as closed as it was.
    const mistakes = first === undefined ? [] : this.mistakesIn(first, { mayBeAbsent: true });
    if (mistakes.length > 0) parts.log.warn('the stored overrides are invalid', { mistakes });
    else if (kept !== undefined && first !== undefined) {
      this.#current = first;
      this.#revision = { version: kept.version, sharedVersion: kept.sharedVersion };
    }
    this.#putInForce();
  }

  /** The stored overrides, without those whose setting has changed since. */
  overSettings({
    canary,
    routes,
    limits,
    canarySetting,
  }: Omit<StoredOverrides, keyof Revision>): OverrideSet {
    const isOlder = JSON.stringify(canarySetting) !== JSON.stringify(this.#parts.canary);
    return { canary: isOlder ? this.#parts.canary : canary, routes, limits };
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** In the form that is stored and shared. */
  toKeep(next: OverrideSet, revision: Revision): StoredOverrides {
    const { canary, routes, limits } = next;
    const lists = { canary: [...canary], routes: [...routes], limits: { ...limits } };
    return { format: 1, ...lists, canarySetting: [...this.#parts.canary], ...revision };
  }

  get current(): OverrideSet {
    return this.#current;
  }

  /** The same object as long as the gateway runs: every reader sees the limit in force. */
  get limits(): Readonly<Record<LimitName, BucketLimit>> {
    return this.#limits;
  }

  weightsOf(service: string): readonly CanaryWeight[] {
    return this.#weights.get(service) ?? [];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  mistakesIn({ canary, routes, limits }: OverrideSet, { mayBeAbsent = false } = {}): string[] {
    const mistakes = mistakesInWeights(canary);
    for (const [name, text] of Object.entries(limits)) {
      if (!Object.hasOwn(this.#parts.limits, name)) mistakes.push(`there is no limit ${name}`);
      else if (!Limit.safeParse(text).success) mistakes.push(`the limit ${name} looks like 10/min,burst=30`);
    }
    const names = routes.map(({ method, path }) => `${method} ${path}`);
    const known = new Set(
      this.#parts.routing.policies().map(({ method, template }) => `${method} ${template}`),
    );
    for (const name of new Set(names)) {
      if (!known.has(name) && !mayBeAbsent) mistakes.push(`there is no route ${name}`);
      if (names.indexOf(name) !== names.lastIndexOf(name)) mistakes.push(`${name} is named twice`);
    }
    return mistakes;
  }

  /** Puts them in force at once and stores them; restores the previous ones if storing fails. */
  async change(next: OverrideSet, revision: Revision): Promise<void> {
    const before = [this.#current, this.#revision] as const;
    [this.#current, this.#revision] = [next, revision];
    this.#putInForce();
    this.#parts.routing.countChange();
    try {
      await this.#parts.kept?.write(this.toKeep(next, revision));
    } catch (error) {
      [this.#current, this.#revision] = before;
      this.#putInForce();
      throw error;
    }
  }

  #putInForce(): void {
    const { canary, routes, limits } = this.#current;
    const byVersion = canary.toSorted((a, b) => (a.version < b.version ? -1 : 1));
    this.#weights = Map.groupBy(byVersion, ({ service }) => service);
    const told = Object.entries(limits).map(([name, text]) => [name, Limit.parse(text)] as const);
    Object.assign(this.#limits, this.#parts.limits, Object.fromEntries(told));
    this.#parts.routing.override(routes);
    for (const listener of this.#listeners) listener();
  }
}
