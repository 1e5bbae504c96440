import type { Counter, Gauge, Histogram } from 'prom-client';

/** The metrics of one service. Asking twice for a name gives the same metric, so that slices need not share it by hand. */
export interface Metrics {
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L>;
  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Gauge<L>;
  /** Seconds unless `buckets` says otherwise. */
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** The exposition text for `/metrics`. */
  render(): Promise<string>;
  readonly contentType: string;
}

export declare function createMetrics(service: string): Metrics;
