import { EventEmitter } from 'node:events';
import type { Instance } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import CircuitBreaker from 'opossum';

export interface BreakerSettings {
  /** Outcomes the window must hold before it is judged. */
  readonly minimumCalls: number;
  /** Opens when at least this share of the window failed. */
  readonly failurePercent: number;
  readonly windowMs: number;
  /** How long an open breaker lets nothing through; not shorter than the window. */
  readonly openMs: number;
  /** Calls let through to try a breaker that was open; all must succeed to close it, one failure opens it again. */
  readonly probes: number;
  /** A probe that has said nothing for this long leaves its place to another one: it may be a long import. */
  readonly slowProbeMs: number;
  /** A probe that has said nothing for this long has failed. */
  readonly probeTimeoutMs: number;
}

const defaults: BreakerSettings = {
  minimumCalls: 5,
  failurePercent: 50,
  windowMs: 10_000,
  openMs: 30_000,
  probes: 3,
  slowProbeMs: 2_000,
  probeTimeoutMs: 30_000,
};

export type BreakerTarget = Pick<Instance, 'id' | 'service'>;

/** Leave to make one call. Say how it went, exactly once; what is said after the first time does not count. */
export interface Pass {
  /** It answered, also when it refused: a 4xx is not a failure. */
  succeeded(): void;
  /** No answer, a broken one, too late, or a 5xx. */
  failed(): void;
  /** Nothing was learned about the instance: the caller left, or never began. */
  abandoned(): void;
}

export interface BreakerOptions {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly settings?: Partial<BreakerSettings>;
}

const buckets = 10;
const idleMs = 600_000;

/** One circuit breaker for each instance of each service that is called, kept for as long as it is used. */
export class Breakers {
  readonly #settings: BreakerSettings;
  readonly #options: BreakerOptions;
  readonly #byInstance = new Map<string, Breaker>();
  // opossum would start a timer for each breaker otherwise.
  readonly #clock = new EventEmitter().setMaxListeners(0);
  readonly #timer: NodeJS.Timeout;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#settings = { ...defaults, ...options.settings };
    if (this.#settings.openMs < this.#settings.windowMs) {
      // Failures from before would still be in the window when it closes, and the first new one would open it again.
      throw new Error('A breaker must stay open at least as long as its window');
    }
    this.#timer = setInterval(() => this.#tick(), this.#settings.windowMs / buckets).unref();
  }

  /** Whether a call would be let through now; asking changes nothing. */
  isOpen(target: BreakerTarget): boolean {
    return this.#byInstance.get(target.id)?.refuses() ?? false;
  }

  stateOf(target: BreakerTarget): 'closed' | 'half-open' | 'open' {
    return this.#byInstance.get(target.id)?.state() ?? 'closed';
  }

  /** Leave to call this instance, or undefined when its breaker is open. */
  enter(target: BreakerTarget): Pass | undefined {
    let breaker = this.#byInstance.get(target.id);
    if (breaker === undefined) {
      breaker = new Breaker(target, this.#settings, this.#options, this.#clock);
      this.#byInstance.set(target.id, breaker);
    }
    return breaker.enter();
  }

  /** Forgets what is held against an instance, because somebody knows better. Calls on their way count for nothing. */
  reset(target: BreakerTarget): void {
    this.#byInstance.get(target.id)?.close();
    this.#byInstance.delete(target.id);
    this.#options.log.warn('breaker is reset', { target: target.service, target_instance: target.id });
  }

  close(): void {
    clearInterval(this.#timer);
    for (const breaker of this.#byInstance.values()) breaker.close();
    this.#byInstance.clear();
  }

  #tick(): void {
    this.#clock.emit('rotate');
    for (const [id, breaker] of this.#byInstance) {
      breaker.failHangingProbes();
      if (!breaker.isIdle()) continue;
      breaker.close(); // an instance that is gone must not stay in memory and on the dashboards
      this.#byInstance.delete(id);
    }
  }
}

const failure = new Error('The call failed'); // made once: a stack for each failed call would be the dearest part

/**
 * opossum keeps the window, the state and the time; it is told outcomes only once they are known. So its time-out, its
 * shared AbortController, its capacity and its single probe play no part: a hung call cannot hold the window or the
 * breaker, and a probe that was abandoned proves nothing.
 */
class Breaker {
  readonly #circuit: CircuitBreaker<[succeeded: boolean], void>;
  readonly #settings: BreakerSettings;
  readonly #forgetState: () => void;
  /** Grows with each change of state: a call that began before the change says nothing about what is now. */
  #era = 0;
  #probesRunning = new Map<symbol, number>();
  #probesSucceeded = 0;
  #usedAt = Date.now();

  constructor(
    target: BreakerTarget,
    settings: BreakerSettings,
    options: BreakerOptions,
    clock: EventEmitter,
  ) {
    this.#settings = settings;
    this.#circuit = new CircuitBreaker(
      (succeeded: boolean) => (succeeded ? Promise.resolve() : Promise.reject(failure)),
      {
        name: target.id,
        timeout: false,
        volumeThreshold: settings.minimumCalls,
        errorThresholdPercentage: settings.failurePercent - 0.001, // opossum opens above it, we at it
        rollingCountTimeout: settings.windowMs,
        rollingCountBuckets: buckets,
        resetTimeout: settings.openMs,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: clock,
      },
    );
    this.#forgetState = this.#report(target, options);
  }

  state(): 'closed' | 'half-open' | 'open' {
    if (this.#circuit.closed) return 'closed';
    return this.#circuit.opened ? 'open' : 'half-open';
  }

  refuses(): boolean {
    if (this.#circuit.closed) return false;
    if (this.#circuit.opened) return true;
    const since = Date.now() - this.#settings.slowProbeMs;
    const quick = [...this.#probesRunning.values()].filter((startedAt) => startedAt > since);
    return quick.length + this.#probesSucceeded >= this.#settings.probes;
  }

  enter(): Pass | undefined {
    this.#usedAt = Date.now();
    if (this.#circuit.closed) return this.#ordinaryPass();
    return this.refuses() ? undefined : this.#probePass();
  }

  /** Else three probes that never end would keep it half open for ever. */
  failHangingProbes(): void {
    const since = Date.now() - this.#settings.probeTimeoutMs;
    if ([...this.#probesRunning.values()].some((startedAt) => startedAt <= since)) this.#circuit.open();
  }

  isIdle(): boolean {
    return Date.now() - this.#usedAt > idleMs;
  }

  close(): void {
    this.#circuit.shutdown();
    this.#forgetState();
  }

  #ordinaryPass(): Pass {
    return this.#pass((succeeded) => {
      if (succeeded !== undefined) this.#circuit.fire(succeeded).catch(() => {}); // we only wanted it counted
    });
  }

  #probePass(): Pass {
    const probe = Symbol();
    this.#probesRunning.set(probe, Date.now());
    return this.#pass((succeeded) => {
      this.#probesRunning.delete(probe);
      if (succeeded === undefined) return;
      if (!succeeded) return this.#circuit.open();
      this.#probesSucceeded += 1;
      if (this.#probesSucceeded === this.#settings.probes) this.#circuit.close();
    });
  }

  #pass(settle: (succeeded: boolean | undefined) => void): Pass {
    const era = this.#era;
    let settled = false;
    const once = (succeeded: boolean | undefined) => {
      if (settled) return;
      settled = true;
      if (era === this.#era) settle(succeeded);
    };
    return { succeeded: () => once(true), failed: () => once(false), abandoned: () => once(undefined) };
  }

  #report({ id, service }: BreakerTarget, { metrics, log }: BreakerOptions): () => void {
    // Not `service` and `instance`: those labels are taken by the caller and by Prometheus.
    const labels = { target: service, target_instance: id };
    const names = ['target', 'target_instance'] as const;
    const state = metrics.gauge('breaker_state', '0 closed, 1 half open, 2 open', names);
    const turned = metrics.counter('breaker_transitions_total', 'Changes of state', [
      ...names,
      'to',
    ] as const);
    const changed = (to: 'closed' | 'half-open' | 'open', value: number) => {
      this.#era += 1;
      this.#probesRunning.clear();
      this.#probesSucceeded = 0;
      state.set(labels, value);
      turned.inc({ target: service, to });
      log.warn(`breaker is ${to}`, labels);
    };
    state.set(labels, 0);
    this.#circuit.on('open', () => changed('open', 2));
    this.#circuit.on('halfOpen', () => changed('half-open', 1));
    this.#circuit.on('close', () => changed('closed', 0));
    return () => state.remove(labels);
  }
}
