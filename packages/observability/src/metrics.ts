import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client';

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
  /** The exposition text for `/metrics`: this service's metrics, labelled with its name, and those of the process. */
  render(): Promise<string>;
  /** The same without those of the process, for a page that shows more than one set. */
  renderOwn(): Promise<string>;
  readonly contentType: string;
}

/** Seconds; those OpenTelemetry advises for the duration of HTTP requests. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });

  function once<M extends Metric>(
    name: string,
    kind: abstract new (...args: never[]) => M,
    make: () => M,
  ): M {
    const known = registry.getSingleMetric(name);
    if (known === undefined) return make();
    if (known instanceof kind) return known;
    throw new Error(`The metric ${name} is already registered as something other than a ${kind.name}`);
  }

  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      once<Counter<L>>(
        name,
        Counter<L>,
        () => new Counter({ name, help, labelNames: [...labelNames], registers: [registry] }),
      ),
    gauge: <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      once<Gauge<L>>(
        name,
        Gauge<L>,
        () => new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] }),
      ),
    histogram: <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      buckets: readonly number[] = durationBuckets,
    ) =>
      once<Histogram<L>>(
        name,
        Histogram<L>,
        () =>
          new Histogram({
            name,
            help,
            labelNames: [...labelNames],
            buckets: [...buckets],
            registers: [registry],
          }),
      ),
    renderOwn: () => registry.metrics(),
    render: async () => (await Promise.all([registry.metrics(), measureProcess().metrics()])).join('\n'),
    contentType: registry.contentType,
  };
}

let shared: Registry | undefined;

/**
 * Memory, event loop, GC: measured once however many services share the process, so without a service's label. From now
 * until the process ends; who does not say so begins with the first page.
 */
export function measureProcess(): Pick<Registry, 'metrics'> {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}
