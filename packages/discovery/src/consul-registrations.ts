import type { Log } from '@marimo/observability';
import type Consul from 'consul';
import type { Instance, Registration } from './registry.ts';

// A killed instance refuses the next check and is out at once; one that is only busy has two seconds to answer. Measured
// with Consul 1.8, until it is out: killed 0.0 to 1.0 s, hung 2.0 to 2.8 s, busy for 1.8 s never. With a timeout of 1 s
// half of those busy for 1.2 s were out; `failures_before_critical: 2` on top keeps them, but takes 1.3 to 2 s for the
// killed and 3.1 to 3.8 s for the hung. Consul checks no oftener than once a second, whatever it is told.
const check = {
  interval: '1s',
  timeout: '2s',
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
  #isBeating = false;
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
    // Twice, since an idle connection may have died unnoticed, and nobody looks again once it is withdrawn.
    const deregister = () => this.#try(() => this.#consul.agent.service.deregister(id));
    await Promise.all([this.#beat, deregister().then((isDone) => isDone || deregister())]);
  }

  /** One at a time: while the agent hangs they would stand in line, and a withdrawal behind all of them. */
  #start(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#beat = this.#try(() => this.#restore()).then(() => {
      this.#isBeating = false;
    });
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

  async #try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      this.#isAway = false;
      return true;
    } catch (error) {
      if (!this.#isAway) this.#log.warn('the registry cannot be told of our instances', { error });
      this.#isAway = true;
      return false;
    }
  }
}
