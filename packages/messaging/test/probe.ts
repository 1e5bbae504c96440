import { type EventDefinition, event, newId } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import type { Database, Transaction } from '@marimo/postgres';
import { z } from 'zod';
import {
  type Consumer,
  consumer,
  createOutbox,
  createWake,
  startConsumers,
  startRelay,
  type Transport,
} from '../src/index.ts';

/** A service in small: it states facts; its consumers write one effect for each. */
export const probeMigrations = new URL('./migrations/', import.meta.url);
export const silent = createLog({ service: 'probe', level: 'silent' });
export const tenantId = '0190a0de-0000-7000-8000-000000000001';

const Fact = z.strictObject({ factId: z.uuid() });
export type FactStated = EventDefinition<typeof Fact>;

/** An event type of a test's own, so that tests can share a broker. */
export function factEvent(name: string = newId()): FactStated {
  return event(`probe.${name}.v1`, Fact);
}

export interface Service {
  readonly metrics: ReturnType<typeof createMetrics>;
  /** In one transaction: the fact and its event; `beforeCommit` may hold it open. */
  state(factIds: readonly string[], beforeCommit?: (tx: Transaction) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly database: Database;
  readonly relayDatabase: Database;
  readonly transport: Transport;
  readonly event: FactStated;
  readonly consumers?: readonly Consumer<undefined>[];
  /** Leaves the rows in the outbox. */
  readonly withoutRelay?: boolean;
  readonly handleWithinMs?: number;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { database, transport, event: stated } = options;
  const wake = createWake();
  const metrics = createMetrics('probe');
  const shared = { transport, metrics, log: silent };
  const outbox = createOutbox({ service: 'probe', clock: () => new Date(), onAdded: wake.ring });
  const consumers = await startConsumers({
    ...shared,
    service: 'probe',
    database,
    deps: undefined,
    consumers: options.consumers ?? [],
    handleWithinMs: options.handleWithinMs ?? 60_000,
  });
  const relay = options.withoutRelay
    ? undefined
    : startRelay({ ...shared, database: options.relayDatabase, wake, pollMs: 100 });
  return {
    metrics,
    state: (factIds, beforeCommit) =>
      database.inTenant(tenantId, async (tx) => {
        await tx.run('insert into fact (tenant_id, id) select $1, unnest($2::uuid[])', [tenantId, factIds]);
        const events = factIds.map((factId) => ({ subject: factId, data: { factId } }));
        await outbox.addAll(tx, stated, events);
        await beforeCommit?.(tx);
      }),
    async close() {
      await relay?.close();
      await consumers.close();
    },
  };
}

/** Writes one effect for each fact; `before` may fail first. */
export function effectWriter(
  queue: string,
  stated: FactStated,
  before: (factId: string) => void | Promise<void> = () => {},
): Consumer<undefined> {
  return consumer({
    name: queue,
    queue,
    events: [stated],
    async handle(tx, { data }) {
      await before(data.factId);
      const sql = 'insert into effect (tenant_id, consumer, fact_id) values ($1, $2, $3)';
      await tx.run(sql, [tx.tenantId, queue, data.factId]);
    },
  });
}
