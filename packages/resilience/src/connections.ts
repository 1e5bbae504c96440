import { isIPv6 } from 'node:net';
import type { Instance, Registry } from '@marimo/discovery';
import { Pool } from 'undici';
import { pickInstance } from './pick.ts';

/** The connections to one address. */
export interface Connection {
  readonly service: string;
  readonly pool: Pool;
  /** Calls on their way. */
  running: number;
}

export interface Chosen {
  readonly instance: Instance;
  readonly connection: Connection;
}

export interface ConnectionSettings {
  /** At once to one instance. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** Silence in the middle of an answer. */
  readonly bodyTimeoutMs: number;
}

/** The connections to the instances that discovery knows and that were called. */
export class Connections {
  readonly #registry: Registry;
  readonly #settings: ConnectionSettings;
  readonly #byPlace = new Map<string, Connection>();
  readonly #unwatch: () => void;
  #turn = 0;

  constructor(registry: Registry, settings: ConnectionSettings) {
    this.#registry = registry;
    this.#settings = settings;
    this.#unwatch = registry.onChange((service) => this.#forget(service));
  }

  /** The least busy instance that may be called; one that was not tried yet before one that was. */
  choose(
    service: string,
    tried: ReadonlySet<string>,
    isOpen: (instance: Instance) => boolean,
  ): Chosen | undefined {
    const all = this.#registry.instances(service).filter((instance) => !isOpen(instance));
    const untried = all.filter(({ id }) => !tried.has(id));
    const running = (instance: Instance) => this.#byPlace.get(placeOf(instance))?.running ?? 0;
    const from = untried.length > 0 ? untried : all;
    const instance = pickInstance(from, { pending: running, skip: () => false, turn: this.#turn++ });
    return instance && { instance, connection: this.#to(instance) };
  }

  async close(): Promise<void> {
    this.#unwatch();
    await Promise.all([...this.#byPlace.values()].map(({ pool }) => pool.destroy()));
    this.#byPlace.clear();
  }

  #to(instance: Instance): Connection {
    const place = placeOf(instance);
    const known = this.#byPlace.get(place);
    if (known !== undefined) return known;
    const { connections, connectTimeoutMs, bodyTimeoutMs } = this.#settings;
    const pool = new Pool(`http://${place}`, {
      connections,
      connectTimeout: connectTimeoutMs,
      allowH2: false,
      // Below the 70 s after which a service closes an idle connection, so that it never closes one as we use it.
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 30_000,
      headersTimeout: 0, // the call's deadline decides
      bodyTimeout: bodyTimeoutMs,
    });
    const connection = { service: instance.service, pool, running: 0 };
    this.#byPlace.set(place, connection);
    return connection;
  }

  /** Lets go of instances that are no more; what they still answer is awaited. */
  #forget(service: string): void {
    const present = new Set(this.#registry.instances(service).map(placeOf));
    for (const [place, { service: of, pool }] of this.#byPlace) {
      if (of !== service || present.has(place)) continue;
      this.#byPlace.delete(place);
      pool.close().catch(() => {}); // rejects only if it was closed before
    }
  }
}

/** Where it is, not its id: an id that moves to another port needs other connections. */
function placeOf({ host, port }: Instance): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
