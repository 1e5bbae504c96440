import type { IncomingMessage } from 'node:http';
import type { Log } from '@marimo/observability';
import type Consul from 'consul';
import { type Answer, instancesToCall } from './known.ts';
import type { Instance } from './registry.ts';
import { isInstance } from './snapshot.ts';

export interface WatchOptions {
  readonly consul: Consul;
  readonly service: string;
  readonly log: Log;
  /** What was known before Consul said anything. */
  readonly kept: readonly Instance[];
  /** How long those missing from the first answer after an interruption stay. */
  readonly graceMs: number;
  readonly changed: (instances: readonly Instance[]) => void;
}

// Consul answers a blocking query at each change and else after this long: a healthy watch is never older.
const waitSeconds = 5;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Follows one service by blocking queries and holds the instances to call. */
export class ConsulWatch {
  /** Resolves once there is something to go by: a first answer, or what was kept. */
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #isReady: () => void;
  readonly #isGone: (reason: Error) => void;
  #instances: readonly Instance[];
  #watch: ReturnType<Consul['watch']> | undefined;
  #answer: Answer | undefined;
  #answeredAt = Date.now();
  #index = 0n;
  /** Ids that no answer has named since the last interruption. */
  #unconfirmed = new Set<string>();
  #failures = 0;
  #nextTry: NodeJS.Timeout | undefined;
  #endOfDoubt: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // most watches are begun by somebody who does not wait
    this.ready = promise;
    this.#isReady = resolve;
    this.#isGone = reject;
    this.#options = options;
    this.#instances = options.kept;
    if (options.kept.length > 0) resolve();
    this.#begin();
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  /** The registry has not answered yet; what is called was kept from an earlier start. */
  get isFromDisk(): boolean {
    return this.#answer === undefined && this.#options.kept.length > 0;
  }

  ageSeconds(): number {
    return Math.max(0, Date.now() - Math.max(this.#answeredAt, this.#watch?.updateTime() ?? 0)) / 1_000;
  }

  close(): void {
    clearTimeout(this.#nextTry);
    clearTimeout(this.#endOfDoubt);
    this.#watch?.removeAllListeners('end').end();
    this.#isGone(new Error('The registry was closed before it answered'));
  }

  /**
   * The library's watch has no jitter, stops for good at a 400 and cannot say that it stopped hearing. So each error
   * ends a watch and a new one is made. None can stay silent: the library cuts a query a second after its wait.
   */
  #begin(): void {
    const { consul, service } = this.#options;
    const watch = consul.watch({
      method: (query: { service: string }) => consul.health.service(query),
      options: { service, stale: 'true', wait: `${waitSeconds}s` },
      maxAttempts: 0,
    });
    watch.on('change', (entries: unknown, reply: IncomingMessage) => this.#heard(entries, reply));
    watch.on('error', (error: unknown) => this.#failed(error));
    watch.on('end', () => {
      this.#answeredAt = Math.max(this.#answeredAt, watch.updateTime() ?? 0);
      this.#nextTry = setTimeout(() => this.#begin(), this.#pauseMs());
    });
    this.#watch = watch;
  }

  #heard(entries: unknown, reply: IncomingMessage): void {
    const { service, log } = this.#options;
    const index = BigInt(String(reply.headers['x-consul-index']));
    const answer = readAnswer(service, entries);
    if (this.#isDoubtful(answer, index, reply.headers['x-consul-knownleader'] === 'true')) this.#doubt();
    for (const id of answer.registered) this.#unconfirmed.delete(id);
    if (this.#failures > 0) log.info('the registry answers again', { target: service });
    this.#answer = answer;
    this.#index = index;
    this.#failures = 0;
    this.#decide();
    this.#isReady();
  }

  /** Whether an instance may be missing because the registry lost its books, which their index going back shows. */
  #isDoubtful(answer: Answer, index: bigint, knowsLeader: boolean): boolean {
    if (this.#failures > 0) return true;
    // What was kept on disk may be old: a first answer that names somebody counts for more.
    if (this.#answer === undefined) return answer.passing.length === 0;
    return index < this.#index || !knowsLeader;
  }

  #doubt(): void {
    clearTimeout(this.#endOfDoubt);
    this.#unconfirmed = new Set(this.#instances.map(({ id }) => id));
    this.#endOfDoubt = setTimeout(() => {
      if (this.#failures > 0) return; // away again: nobody could register meanwhile, and the next answer is doubtful too
      this.#unconfirmed.clear();
      this.#decide();
    }, this.#options.graceMs);
  }

  #failed(error: unknown): void {
    this.#failures++;
    if (this.#failures === 1) {
      this.#options.log.warn('the registry does not answer; the last known instances stay', {
        target: this.#options.service,
        error,
      });
    }
  }

  #decide(): void {
    if (this.#answer === undefined) return;
    const next = instancesToCall(this.#instances, this.#answer, this.#unconfirmed);
    if (JSON.stringify(next) === JSON.stringify(this.#instances)) return;
    this.#instances = Object.freeze(next);
    this.#options.changed(next);
  }

  #pauseMs(): number {
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures, 10));
    return longest * (0.5 + Math.random() / 2);
  }
}

interface HealthEntry {
  readonly Node?: { readonly Address?: string };
  readonly Service: {
    readonly ID: string;
    readonly Address?: string;
    readonly Port: number;
    readonly Meta?: { readonly version?: string; readonly routes?: string } | null;
  };
  readonly Checks?: readonly { readonly Status: string }[];
}

function readAnswer(service: string, entries: unknown): Answer {
  const passing: Instance[] = [];
  const registered = new Set<string>();
  for (const { Node, Service, Checks } of entries as readonly HealthEntry[]) {
    registered.add(Service.ID);
    const host = Service.Address || Node?.Address;
    const instance = {
      id: Service.ID,
      service,
      host,
      port: Service.Port,
      version: Service.Meta?.version ?? 'unknown',
      ...(Service.Meta?.routes !== undefined && { routesDigest: Service.Meta.routes }),
    };
    const isCritical = Checks?.some((check) => check.Status === 'critical') ?? false;
    if (!isCritical && isInstance(instance)) passing.push(instance);
  }
  return { passing, registered };
}
