import type { Log, Metrics } from '@marimo/observability';
import Consul from 'consul';
import { ConsulRegistrations } from './consul-registrations.ts';
import { consulTexts } from './consul-texts.ts';
import { ConsulWatch } from './consul-watch.ts';
import type { Registry } from './registry.ts';
import { snapshotsIn } from './snapshot.ts';

export interface ConsulRegistryOptions {
  /** `host:port` or a URL of the agent on this machine, always the same one. */
  readonly address: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Where the last known instances are kept; processes of one machine may share it. */
  readonly snapshotDirectory: string;
  /** How long instances that are missing after an interruption stay callable; 15 s. */
  readonly graceMs?: number;
}

const callTimeoutMs = 2_000;

/** Calls need nobody: Consul only brings news, and while it brings none the last known instances are called. */
export function consulRegistry(options: ConsulRegistryOptions): Registry {
  const { log, graceMs = 15_000 } = options;
  const consul = connect(options.address);
  const snapshots = snapshotsIn(options.snapshotDirectory);
  const registrations = new ConsulRegistrations(consul, log);
  const watches = new Map<string, ConsulWatch>();
  const listeners = new Set<(service: string) => void>();
  let written: Promise<void> = Promise.resolve();

  const watch = (service: string) => {
    const changed: ConstructorParameters<typeof ConsulWatch>[0]['changed'] = (instances) => {
      written = written
        .then(() => snapshots.write(service, instances))
        .catch((error: unknown) => log.warn('the known instances could not be kept', { error }));
      for (const listener of listeners) listener(service);
    };
    const made = new ConsulWatch({ consul, service, log, graceMs, changed, kept: snapshots.read(service) });
    watches.set(service, made);
    return made;
  };
  const watched = (service: string) => watches.get(service) ?? watch(service);

  const age = options.metrics.gauge('discovery_age_seconds', 'Time since the registry last answered', []);
  const ageSeconds = () => Math.max(0, ...[...watches.values()].map((one) => one.ageSeconds()));
  const clock = setInterval(() => age.set(ageSeconds()), 1_000);

  return {
    register: (instance) => registrations.register(instance),
    instances: (service) => watched(service).instances,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async ready(services) {
      await Promise.all(services.map((service) => watched(service).ready));
    },
    ageSeconds,
    shared: consulTexts(consul),
    source: () => ([...watches.values()].some((one) => one.isFromDisk) ? 'disk' : 'registry'),
    async close() {
      clearInterval(clock);
      listeners.clear();
      for (const one of watches.values()) one.close();
      await registrations.close();
      await written;
      consul.destroy();
    },
  };
}

function connect(address: string): Consul {
  const url = new URL(address.includes('://') ? address : `http://${address}`);
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 8500));
  // The library waits for ever unless told, and its types do not know the setting that tells it.
  const settings = { host: url.hostname, port, secure, timeout: callTimeoutMs };
  return new Consul(settings);
}
