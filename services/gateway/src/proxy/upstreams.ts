import { isIPv6 } from 'node:net';
import type { Instance, Registry } from '@marimo/discovery';
import { pickInstance } from '@marimo/resilience';
import { Pool } from 'undici';

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
/** Beyond this an instance is drowning; waiting in line for it helps nobody. */
const inFlightLimit = 1_024;

/** An instance and the connections to it. */
export interface Upstream {
  readonly instance: Instance;
  readonly origin: string;
  readonly pool: Pool;
  inFlight: number;
}

/** The connections to every instance discovery knows. */
export class Upstreams {
  readonly #registry: Registry;
  readonly #byPlace = new Map<string, Upstream>();
  /** As discovery gave them, which gives the same list until something changes. */
  readonly #byService = new Map<
    string,
    { readonly of: readonly Instance[]; readonly upstreams: readonly Upstream[] }
  >();
  readonly #unwatch: () => void;
  #turn = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#unwatch = registry.onChange((service) => this.#forget(service));
  }

  /** The least busy instance, in turn among equals; undefined when all are skipped or drowning. */
  choose(service: string, skip: (upstream: Upstream) => boolean): Upstream | undefined {
    return pickInstance(this.all(service), {
      pending: ({ inFlight }) => inFlight,
      skip: (upstream) => upstream.inFlight >= inFlightLimit || skip(upstream),
      turn: this.#turn++,
    });
  }

  all(service: string): readonly Upstream[] {
    const instances = this.#registry.instances(service);
    const known = this.#byService.get(service);
    if (known?.of === instances) return known.upstreams;
    const upstreams = instances.map((instance) => this.#of(instance));
    this.#byService.set(service, { of: instances, upstreams });
    return upstreams;
  }

  async close(): Promise<void> {
    this.#unwatch();
    await Promise.all([...this.#byPlace.values()].map(({ pool }) => pool.destroy()));
    this.#byPlace.clear();
  }

  #of(instance: Instance): Upstream {
    const place = placeOf(instance);
    const known = this.#byPlace.get(place);
    if (known !== undefined) return known;
    const origin = `http://${place}`;
    const upstream = { instance, origin, pool: new Pool(origin, poolOptions), inFlight: 0 };
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
