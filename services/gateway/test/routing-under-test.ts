import type { AnyEndpoint } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import type { Registry } from '@marimo/discovery';
import { createLog, createMetrics } from '@marimo/observability';
import { Routing } from '../src/routes/index.ts';

/** The table of a gateway that was built with these contracts and has heard of nobody. */
export function routingOf(contracts: Readonly<Record<string, readonly AnyEndpoint[]>>): Routing {
  const registry = { instances: () => [], onChange: () => () => {}, source: () => 'registry' };
  return new Routing({
    contracts,
    permissions,
    version: '1.2.3',
    registry: registry as unknown as Registry,
    metrics: createMetrics('gateway'),
    log: createLog({ service: 'gateway', level: 'silent' }),
  });
}
