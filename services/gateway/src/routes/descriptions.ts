import type { RouteDescription, ServiceDescription } from '@marimo/contracts';
import type { Instance } from '@marimo/discovery';
import { type KnowsPermission, mistakesIn } from './check.ts';
import { isPermission, type RouteOverride } from './policy.ts';
import type { ServicePlan } from './table.ts';

/** Where a description was found. */
export type Origin = 'contracts' | 'service' | 'disk';

export interface Accepted {
  readonly digest: string;
  readonly description: ServiceDescription;
  readonly origin: Origin;
}

export interface Refused {
  readonly digest: string;
  readonly version: string;
  readonly mistakes: readonly string[];
  readonly closed: readonly RouteDescription[];
}

/** Whether the routes of an instance are known. Other instances get a request only when no known one has its route. */
export type RouteStatus = 'known' | 'unlearned' | 'refused';

/** Inventions of a service that changes all the time must not fill the memory. */
const remembered = 20;

/** Everything that was heard of one service: what its versions say, which of them count, and which were refused. */
export class Descriptions {
  readonly service: string;
  readonly #accepted = new Map<string, Accepted>();
  readonly #refused = new Map<string, Refused>();
  /** What an instance was found to serve, where its registration says nothing or something else. */
  readonly #found = new Map<string, { readonly registered: string | undefined; readonly digest: string }>();
  /** Digests that are in force, in the order of their names. */
  #active: readonly string[] = [];
  #builtIn: string | undefined;

  constructor(service: string) {
    this.service = service;
  }

  get active(): readonly Accepted[] {
    return this.#active.flatMap((digest) => this.#accepted.get(digest) ?? []);
  }

  get refused(): readonly Refused[] {
    return [...this.#refused.values()];
  }

  accepts(digest: string): boolean {
    return this.#accepted.has(digest);
  }

  refuses(digest: string): boolean {
    return this.#refused.has(digest);
  }

  /** A valid description; in force once an instance serves it, or at once where nothing else is. */
  accept(accepted: Accepted): void {
    this.#refused.delete(accepted.digest);
    this.#accepted.set(accepted.digest, accepted);
    if (accepted.origin === 'contracts') this.#builtIn = accepted.digest;
    if (this.#active.length === 0) this.#active = [accepted.digest];
  }

  /** What has been kept from an earlier start, in place of what the contracts say, until an instance answers. */
  resume(kept: readonly Accepted[]): void {
    for (const one of kept) if (!this.#accepted.has(one.digest)) this.#accepted.set(one.digest, one);
    if (kept.length > 0) this.#active = kept.map(({ digest }) => digest).sort();
  }

  refuse(refused: Refused): void {
    this.#refused.set(refused.digest, refused);
    for (const digest of this.#refused.keys()) {
      if (this.#refused.size <= remembered) break;
      this.#refused.delete(digest);
    }
  }

  /** What the instance itself said it serves. */
  found({ id, routesDigest }: Instance, digest: string): void {
    this.#found.set(id, { registered: routesDigest, digest });
  }

  /** Undefined while unknown. An instance that has a version but names no routes is from before they were named. */
  digestOf({ id, routesDigest, version }: Instance): string | undefined {
    const found = this.#found.get(id);
    if (found !== undefined && found.registered === routesDigest) return found.digest;
    return routesDigest ?? (version === 'unknown' ? undefined : this.#builtIn);
  }

  routeStatusOf(instance: Instance): RouteStatus {
    const digest = this.digestOf(instance);
    if (digest === undefined) return 'unlearned';
    if (this.#accepted.has(digest)) return 'known';
    return this.#refused.has(digest) ? 'refused' : 'unlearned';
  }

  /** The version an instance runs, also where only its own description tells. */
  versionOf(instance: Instance): string {
    if (instance.version !== 'unknown') return instance.version;
    const digest = this.digestOf(instance);
    return (digest !== undefined && this.#accepted.get(digest)?.description.version) || 'unknown';
  }

  /** In force is what the instances serve that are there; while none is known, what was in force stays. True at a change. */
  settle(instances: readonly Instance[]): boolean {
    const served = new Set<string>();
    for (const instance of instances) {
      const digest = this.digestOf(instance);
      if (digest !== undefined && this.#accepted.has(digest)) served.add(digest);
    }
    this.#forget(instances);
    const next = [...served].sort();
    if (next.length === 0 || next.join() === this.#active.join()) return false;
    this.#active = next;
    return true;
  }

  plan(overrides: readonly RouteOverride[], knowsPermission: KnowsPermission): ServicePlan {
    const versions = this.active.map(({ digest, description }) => ({ digest, routes: description.routes }));
    const closed = this.refused.flatMap((one) => one.closed);
    return { service: this.service, versions, closed, overrides, knowsPermission };
  }

  #forget(instances: readonly Instance[]): void {
    const ids = new Set(instances.map(({ id }) => id));
    for (const id of this.#found.keys()) if (!ids.has(id)) this.#found.delete(id);
    const needed = new Set([this.#builtIn, ...this.#active, ...instances.map((one) => this.digestOf(one))]);
    for (const digest of this.#accepted.keys()) {
      if (this.#accepted.size <= remembered) break;
      if (!needed.has(digest)) this.#accepted.delete(digest);
    }
  }
}

/** Accepts or refuses a service's description. */
export function judge(
  service: string,
  digest: string,
  description: ServiceDescription,
  knowsPermission: KnowsPermission,
): Accepted | Refused {
  const mistakes = mistakesIn(service, description, knowsPermission);
  if (mistakes.length === 0) return { digest, description, origin: 'service' };
  const own = new Set(description.permissions);
  const closed = description.routes.filter(
    ({ access }) => access === null || (isPermission(access) && !own.has(access) && !knowsPermission(access)),
  );
  const ofService = closed.filter(({ path }) => path.split('/')[3] === service);
  return { digest, version: description.version, mistakes, closed: ofService };
}
