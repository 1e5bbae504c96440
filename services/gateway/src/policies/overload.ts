import { monitorEventLoopDelay } from 'node:perf_hooks';
import { refusals } from '@marimo/contracts/gateway';
import type { GatewayMetrics } from '../metrics.ts';
import type { TrafficClass } from '../routes/index.ts';
import type { OverloadSettings } from '../settings.ts';

/** What the gateway feels of its load. */
export interface Load {
  /** How late the event loop was on average since the last look, milliseconds. */
  readonly loopDelayMs: number;
  /** Requests on their way. */
  readonly inFlight: number;
}

/** The first to go stands first; what is not here is never shed. */
const shedOrder: readonly TrafficClass[] = ['background', 'read', 'write'];
/** Of the settings: where each further class goes too. */
const delaySteps = [1, 2, 4];
const inFlightSteps = [1, 1.5, 2];

/** One pause, such as a garbage collection, is no overload. */
const looksToShed = 3;
/** Below seven tenths of what made it shed, for two seconds: or it would swing between shedding and being buried. */
const calmPart = 0.7;
const looksToTakeBack = 8;
const lookMs = 250;

/** Turns the less urgent away while there is too much to do, so that the urgent are still served in time. */
export class Shedding {
  readonly #marks: OverloadSettings;
  readonly #metrics: Pick<GatewayMetrics, 'shed' | 'overload'>;
  /** How many classes are shed. */
  #level = 0;
  /** What the last looks asked for, as long as all asked for more. */
  #risingTo = Number.POSITIVE_INFINITY;
  #risingLooks = 0;
  #calmLooks = 0;

  constructor(marks: OverloadSettings, metrics: Pick<GatewayMetrics, 'shed' | 'overload'>) {
    this.#marks = marks;
    this.#metrics = metrics;
    metrics.overload.set(0);
  }

  get level(): number {
    return this.#level;
  }

  /** Throws `Overloaded` for a class that is being shed. */
  requireRoom(trafficClass: TrafficClass): void {
    if (this.#level === 0) return;
    const place = shedOrder.indexOf(trafficClass);
    if (place < 0 || place >= this.#level) return;
    this.#metrics.shed.inc({ class: trafficClass });
    throw new refusals.Overloaded({}, { retryAfterSeconds: 2 ** this.#level });
  }

  /** Told four times a second. */
  look(load: Load): void {
    const asked = this.#levelFor(load, 1);
    if (asked > this.#level) {
      this.#calmLooks = 0;
      this.#risingTo = Math.min(this.#risingTo, asked);
      this.#risingLooks += 1;
      if (this.#risingLooks >= looksToShed) this.#become(this.#risingTo);
      return;
    }
    this.#risingLooks = 0;
    this.#risingTo = Number.POSITIVE_INFINITY;
    const isCalm = this.#level > 0 && this.#levelFor(load, calmPart) < this.#level;
    this.#calmLooks = isCalm ? this.#calmLooks + 1 : 0;
    if (this.#calmLooks >= looksToTakeBack) this.#become(this.#level - 1);
  }

  #levelFor({ loopDelayMs, inFlight }: Load, part: number): number {
    const reached = (value: number, mark: number, steps: readonly number[]) =>
      steps.filter((step) => value >= mark * step * part).length;
    return Math.max(
      reached(loopDelayMs, this.#marks.loopDelayMs, delaySteps),
      reached(inFlight, this.#marks.inFlight, inFlightSteps),
    );
  }

  #become(level: number): void {
    this.#level = level;
    this.#risingLooks = 0;
    this.#risingTo = Number.POSITIVE_INFINITY;
    this.#calmLooks = 0;
    this.#metrics.overload.set(level);
  }
}

/** Looks at this process four times a second; the returned function ends it. */
export function watchLoad(shedding: Shedding, inFlight: () => number): () => void {
  const resolution = 10;
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  const timer = setInterval(() => {
    const meanMs = delays.mean / 1e6 - resolution;
    delays.reset();
    shedding.look({ loopDelayMs: Number.isFinite(meanMs) ? Math.max(0, meanMs) : 0, inFlight: inFlight() });
  }, lookMs).unref();
  return () => {
    clearInterval(timer);
    delays.disable();
  };
}
