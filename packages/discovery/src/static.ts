import type { Instance, Registry } from './registry.ts';

export interface StaticRegistryOptions {
  /** Where each service is unless one registers itself here. */
  readonly table: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

/** For one machine: who registers is called where it says it is, all others where the table puts them. */
export function staticRegistry({ table }: StaticRegistryOptions): Registry {
  const byService = new Map<string, readonly Instance[]>();
  for (const [service, { host, port }] of Object.entries(table)) {
    byService.set(service, [{ id: `${service}-${host}-${port}`, service, host, port, version: 'unknown' }]);
  }
  const announced = new Set<string>();
  const listeners = new Set<(service: string) => void>();

  const replace = (service: string, instances: readonly Instance[]) => {
    byService.set(service, Object.freeze(instances));
    for (const listener of listeners) listener(service);
  };
  const others = ({ service, id }: Instance) =>
    (byService.get(service) ?? []).filter((one) => one.id !== id && announced.has(one.id));

  return {
    async register(instance) {
      replace(instance.service, [...others(instance), instance]);
      announced.add(instance.id);
      return {
        async withdraw() {
          if (announced.delete(instance.id)) replace(instance.service, others(instance));
        },
      };
    },
    instances: (service) => byService.get(service) ?? [],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: async () => undefined,
    ageSeconds: () => 0,
    source: () => 'registry',
    close: async () => listeners.clear(),
  };
}
