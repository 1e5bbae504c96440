import { isIPv6 } from 'node:net';
import type { Instance, Registry } from '@marimo/discovery';
import { pickInstance } from '@marimo/resilience';
import { Pool } from 'undici';
import { type CanaryWeight, versionFor } from './canary.ts';

const poolOptions = {
  connections: 128,
  pipelining: 1,
  allowH2: false,
  connectTimeout: 2_000,
  // Below the 70 s after which a service closes an idle connection, so that it never closes one as we use it.
  keepAliveTimeout: 30_000,
  keepAliveMaxTimeout: 30_000,
  headersTimeout: 0, // the request's own deadline decides
  bodyTimeout: 120_000, // silence in the middle of an answer
};
/** Beyond this an instance is drowning; queueing for it does not help. */
const inFlightLimit = 1_024;

/** An instance and the connections to it. */
export interface Upstream {
  /** As discovery last described it: another version may have taken its place. */
  readonly instance: Instance;
  readonly origin: string;
  readonly pool: Pool;
  inFlight: number;
  /** By the clock of `performance`; 0 while it never failed. */
  restsUntil: number;
}

/** Who may answer a request. */
export interface Wanted {
  readonly service: string;
  /** Digests of the descriptions that name the route; undefined where all do. */
  readonly servedBy?: ReadonlySet<string> | undefined;
  /** Of the client, the same from request to request: keeps it at one version. */
  readonly client?: string | undefined;
}

/** What is known of instances besides where they are. */
export interface Knowledge {
  /** Of the routes it is known to have; undefined while that is not known, or where they were refused. */
  digestOf(instance: Instance): string | undefined;
  versionOf(instance: Instance): string;
  /** In the order of their versions. */
  weightsOf(service: string): readonly CanaryWeight[];
  /** Called when any of these may have changed. */
  onChange(listener: () => void): () => void;
}

type Skip = (upstream: Upstream) => boolean;

/** One service's instances, sorted when something changes and not for each request. */
interface Known {
  readonly of: readonly Instance[];
  readonly upstreams: readonly Upstream[];
  /** All of one description and one version, as nearly always: there is nothing to weigh. */
  readonly uniform: boolean;
  readonly weights: readonly CanaryWeight[];
  readonly versions: ReadonlyMap<Upstream, string>;
  /** Undefined for those whose routes are not known. */
  readonly digests: ReadonlyMap<Upstream, string | undefined>;
}

/** The connections to every instance discovery knows. */
export class Upstreams {
  readonly #registry: Registry;
  readonly #knowledge: Knowledge | undefined;
  readonly #byPlace = new Map<string, Upstream>();
  /** By the list discovery gave, which stays the same until something changes. */
  readonly #byService = new Map<string, Known>();
  readonly #unwatch: (() => void)[];
  #turn = 0;

  constructor(registry: Registry, knowledge?: Knowledge) {
    this.#registry = registry;
    this.#knowledge = knowledge;
    const unwatch = [
      registry.onChange((service) => this.#forget(service)),
      knowledge?.onChange(() => this.#byService.clear()),
    ];
    this.#unwatch = unwatch.filter((one) => one !== undefined);
  }

  /**
   * The least busy instance that has the route, in turn among equals, of the version the client belongs to; undefined
   * when all are skipped or drowning. A version whose instances are gone or broken leaves its share to the others.
   */
  choose({ service, servedBy, client }: Wanted, skip: Skip): Upstream | undefined {
    const known = this.#know(service);
    if (known.uniform) return this.#pick(known.upstreams, skip);
    const { upstreams, digests } = known;
    const able = upstreams.filter((one) => {
      const digest = digests.get(one);
      return digest !== undefined && (servedBy === undefined || servedBy.has(digest));
    });
    // Those whose routes are not known, or were refused, may not have this one: a last resort.
    return (
      this.#weigh(known, able, client, skip) ??
      this.#pick(
        upstreams.filter((one) => digests.get(one) === undefined),
        skip,
      )
    );
  }

  all(service: string): readonly Upstream[] {
    return this.#know(service).upstreams;
  }

  async close(): Promise<void> {
    for (const unwatch of this.#unwatch) unwatch();
    await Promise.all([...this.#byPlace.values()].map(({ pool }) => pool.destroy()));
    this.#byPlace.clear();
  }

  #weigh(known: Known, able: readonly Upstream[], client = '', skip: Skip): Upstream | undefined {
    const { weights, versions } = known;
    const present = new Set(able.map((one) => versions.get(one)));
    if (weights.length === 0 || present.size < 2) return this.#pick(able, skip);
    const wanted = versionFor(weights, client);
    const weighted = new Set(weights.map(({ version }) => version));
    const belongs = (one: Upstream) => {
      const version = versions.get(one) as string;
      return wanted === undefined ? !weighted.has(version) : version === wanted;
    };
    const kept = new Set(weights.filter(({ percent }) => percent > 0).map(({ version }) => version));
    const mayStandIn = (one: Upstream) => {
      const version = versions.get(one) as string;
      return !weighted.has(version) || kept.has(version);
    };
    return this.#pick(able.filter(belongs), skip) ?? this.#pick(able.filter(mayStandIn), skip);
  }

  #pick(upstreams: readonly Upstream[], skip: Skip): Upstream | undefined {
    return pickInstance(upstreams, {
      pending: ({ inFlight }) => inFlight,
      skip: (upstream) => upstream.inFlight >= inFlightLimit || skip(upstream),
      turn: this.#turn++,
    });
  }

  #know(service: string): Known {
    const instances = this.#registry.instances(service);
    const known = this.#byService.get(service);
    if (known?.of === instances) return known;
    const upstreams = instances.map((instance) => this.#of(instance));
    const knowledge = this.#knowledge;
    const weights = knowledge?.weightsOf(service) ?? [];
    const digestOf = ({ instance }: Upstream) => knowledge?.digestOf(instance);
    const versionOf = ({ instance }: Upstream) => knowledge?.versionOf(instance) ?? instance.version;
    const digests = new Map(upstreams.map((one) => [one, digestOf(one)] as const));
    const versions = new Map(upstreams.map((one) => [one, versionOf(one)] as const));
    const isOne = (values: ReadonlyMap<Upstream, unknown>) => new Set(values.values()).size <= 1;
    const uniform = isOne(digests) && (weights.length === 0 || isOne(versions));
    const fresh = { of: instances, upstreams, uniform, weights, versions, digests };
    this.#byService.set(service, fresh);
    return fresh;
  }

  #of(instance: Instance): Upstream {
    const place = placeOf(instance);
    const known = this.#byPlace.get(place);
    if (known !== undefined) return Object.assign(known, { instance });
    const origin = `http://${place}`;
    const upstream = { instance, origin, pool: new Pool(origin, poolOptions), inFlight: 0, restsUntil: 0 };
    this.#byPlace.set(place, upstream);
    return upstream;
  }

  /** Lets go of instances that are no more; what they still answer is awaited. */
  #forget(service: string): void {
    this.#byService.delete(service);
    const present = new Set(this.#registry.instances(service).map(placeOf));
    for (const [place, { instance, pool }] of this.#byPlace) {
      if (instance.service !== service || present.has(place)) continue;
      this.#byPlace.delete(place);
      pool.close().catch(() => {}); // rejects only if it was closed before
    }
  }
}

/** Where it is, not its id: an id that moves to another port needs other connections. */
function placeOf({ host, port }: Instance): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
