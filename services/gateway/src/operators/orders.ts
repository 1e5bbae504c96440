import type { BucketLimit } from '@marimo/cache';
import { operators } from '@marimo/contracts/gateway';
import type { Log } from '@marimo/observability';
import { z } from 'zod';
import type { KeptFile } from '../kept-file.ts';
import { type CanaryWeight, mistakesInWeights } from '../proxy/index.ts';
import type { RouteOverride, Routing } from '../routes/index.ts';
import { Limit, type LimitName } from '../settings.ts';

/** What operators have said, over what the settings and the services say. */
export interface Ordered {
  readonly canary: readonly CanaryWeight[];
  readonly routes: readonly RouteOverride[];
  /** As an operator writes them, such as `10/min,burst=30`; all others are as the settings say. */
  readonly limits: Readonly<Record<string, string>>;
}

/** On the disk, with the setting they were made over: a setting that has changed since is the later word. */
export const KeptOrders = z.strictObject({
  format: z.literal(1),
  canary: z.array(operators.CanaryOrder),
  routes: z.array(operators.RouteOrder),
  limits: z.record(z.string(), z.string()),
  canarySetting: z.array(operators.CanaryOrder),
  /** Grows with each change, at whichever gateway it is made. */
  version: z.int().min(0).default(0),
  /** The last version that all gateways could hear of; a greater one of our own is known here only. */
  sharedVersion: z.int().min(0).default(0),
});
export type KeptOrders = z.infer<typeof KeptOrders>;

export interface OrdersParts {
  readonly routing: Routing;
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  readonly canary: readonly CanaryWeight[];
  readonly kept: KeptFile<KeptOrders> | undefined;
  readonly log: Log;
}

/** Which orders they are: see `KeptOrders`. */
export type Standing = Pick<KeptOrders, 'version' | 'sharedVersion'>;

/** The orders in force. Requests read them as they are at that moment. */
export class Orders {
  readonly #parts: OrdersParts;
  readonly #limits: Record<LimitName, BucketLimit>;
  readonly #listeners = new Set<() => void>();
  #ordered: Ordered;
  #standing: Standing = { version: 0, sharedVersion: 0 };
  #weights: ReadonlyMap<string, readonly CanaryWeight[]> = new Map();

  constructor(parts: OrdersParts) {
    this.#parts = parts;
    this.#limits = { ...parts.limits };
    this.#ordered = { canary: parts.canary, routes: [], limits: {} };
    const kept = parts.kept?.read();
    const first = kept && this.overSettings(kept);
    // A route that is not there just now may come back, and must then be as closed as it was.
    const mistakes = first === undefined ? [] : this.mistakesIn(first, { mayBeAbsent: true });
    if (mistakes.length > 0) parts.log.warn('the orders that were kept cannot be used', { mistakes });
    else if (kept !== undefined && first !== undefined) {
      this.#ordered = first;
      this.#standing = { version: kept.version, sharedVersion: kept.sharedVersion };
    }
    this.#putInForce();
  }

  /** What was ordered, as far as no setting has changed since. */
  overSettings({ canary, routes, limits, canarySetting }: Omit<KeptOrders, keyof Standing>): Ordered {
    const isOlder = JSON.stringify(canarySetting) !== JSON.stringify(this.#parts.canary);
    return { canary: isOlder ? this.#parts.canary : canary, routes, limits };
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** As they are kept, and told to other gateways. */
  toKeep(ordered: Ordered, standing: Standing): KeptOrders {
    const { canary, routes, limits } = ordered;
    const lists = { canary: [...canary], routes: [...routes], limits: { ...limits } };
    return { format: 1, ...lists, canarySetting: [...this.#parts.canary], ...standing };
  }

  get ordered(): Ordered {
    return this.#ordered;
  }

  /** The same object as long as the gateway runs: whoever reads a limit reads the one in force. */
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

  mistakesIn({ canary, routes, limits }: Ordered, { mayBeAbsent = false } = {}): string[] {
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

  /** Puts them in force at once and keeps them; when they cannot be kept, those before are in force again. */
  async change(next: Ordered, standing: Standing): Promise<void> {
    const before = [this.#ordered, this.#standing] as const;
    [this.#ordered, this.#standing] = [next, standing];
    this.#putInForce();
    this.#parts.routing.countChange();
    try {
      await this.#parts.kept?.write(this.toKeep(next, standing));
    } catch (error) {
      [this.#ordered, this.#standing] = before;
      this.#putInForce();
      throw error;
    }
  }

  #putInForce(): void {
    const { canary, routes, limits } = this.#ordered;
    const byVersion = canary.toSorted((a, b) => (a.version < b.version ? -1 : 1));
    this.#weights = Map.groupBy(byVersion, ({ service }) => service);
    const told = Object.entries(limits).map(([name, text]) => [name, Limit.parse(text)] as const);
    Object.assign(this.#limits, this.#parts.limits, Object.fromEntries(told));
    this.#parts.routing.override(routes);
    for (const listener of this.#listeners) listener();
  }
}
