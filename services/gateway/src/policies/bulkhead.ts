import { refusals } from '@marimo/contracts/gateway';
import type { GatewayMetrics } from '../metrics.ts';

/**
 * Limits the concurrent requests to one service: one that hangs must not take the memory and the connections that the
 * others need. There is no queue; a request above the limit is refused at once.
 */
export class Bulkhead {
  readonly #limit: number;
  readonly #metrics: Pick<GatewayMetrics, 'saturated'>;
  readonly #running = new Map<string, number>();
  #total = 0;

  constructor(limit: number, metrics: Pick<GatewayMetrics, 'saturated'>) {
    this.#limit = limit;
    this.#metrics = metrics;
  }

  /** Requests on their way to any service. */
  get total(): number {
    return this.#total;
  }

  /** Throws `ServiceSaturated`. Every `enter` needs a `leave`. */
  enter(service: string): void {
    const running = this.#running.get(service) ?? 0;
    if (running >= this.#limit) {
      this.#metrics.saturated.inc({ upstream: service });
      throw new refusals.ServiceSaturated({ service }, { retryAfterSeconds: 1 });
    }
    this.#running.set(service, running + 1);
    this.#total += 1;
  }

  leave(service: string): void {
    this.#running.set(service, (this.#running.get(service) ?? 1) - 1);
    this.#total -= 1;
  }
}
