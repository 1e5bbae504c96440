import type { Log } from '@marimo/observability';
import type Consul from 'consul';
import type { Instance, Registration } from './registry.ts';

// One failed check is enough: a dead instance is noticed at the next, a hung one a timeout later. Flapping costs little,
// because the last known instances stay while nobody passes.
const check = {
  interval: '1s',
  timeout: '1s',

  deregistercriticalserviceafter: '1m',
};
const beatMs = 2_000;

/**
 * Keeps our instances on the books of one agent. Only its agent endpoints are used: what is written to the catalogue
 * directly is undone by the agent within a minute. An agent that has lost us, or was away when we started, gets us back.
 */
export class ConsulRegistrations {
  readonly #consul: Consul;
  readonly #log: Log;
  readonly #wanted = new Map<string, Instance>();
  #beat: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;

  constructor(consul: Consul, log: Log) {
    this.#consul = consul;
    this.#log = log;
  }

  async register(instance: Instance): Promise<Registration> {
    this.#wanted.set(instance.id, instance);
    this.#timer ??= setInterval(() => this.#start(), beatMs);
    await this.#try(() => this.#announce(instance));
    return { withdraw: () => this.#withdraw(instance.id) };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#wanted.keys()].map((id) => this.#withdraw(id)));
  }

  async #withdraw(id: string): Promise<void> {
    if (!this.#wanted.delete(id)) return;
    // A beat under way may be registering it just now; it looks again when it is done.
    await Promise.all([this.#beat, this.#try(() => this.#consul.agent.service.deregister(id))]);
  }

  #start(): void {
    this.#beat = this.#beat.then(() => this.#try(() => this.#restore()));
  }

  async #restore(): Promise<void> {
    if (this.#wanted.size === 0) return;
    const known = await this.#consul.agent.service.list();
    for (const instance of this.#wanted.values()) {
      if (known[instance.id] !== undefined) continue;
      await this.#announce(instance);
      this.#log.info('registered again with an agent that had lost us', { instance: instance.id });
      if (!this.#wanted.has(instance.id)) await this.#consul.agent.service.deregister(instance.id);
    }
  }

  /** As passing: whoever registers can serve, and a second registration must not take out an instance that works. */
  async #announce({ id, service, host, port, version, routesDigest }: Instance): Promise<void> {
    await this.#consul.agent.service.register({
      id,
      name: service,
      address: host,
      port,
      meta: { version, ...(routesDigest !== undefined && { routes: routesDigest }) },
      check: { ...check, name: 'ready', http: `http://${host}:${port}/ready`, status: 'passing' },
    });
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) this.#log.warn('the registry cannot be told of our instances', { error });
      this.#isAway = true;
    }
  }
}
