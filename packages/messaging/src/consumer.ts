import { type Envelope, type EventData, type EventDefinition, parseKnownFields } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import { z } from 'zod';
import { UnfitEvent } from './retry.ts';

export interface ConsumedEvent<E extends EventDefinition = EventDefinition> {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string;
  readonly subject: string;
  readonly time: string;
  readonly data: EventData<E>;
  readonly envelope: Envelope;
}

/**
 * What a service does about events. `handle` runs in the tenant's transaction that also records
 * (consumer, event id), so its effect happens once however often the event is delivered.
 */
export interface Consumer<Deps> {
  /** Never changed: under another name it would do everything of the last 30 days again that is delivered again. */
  readonly name: string;
  readonly queue: string;
  readonly bindings: readonly string[];
  /** Transactions at once. */
  readonly concurrency: number;
  /** Events of one tenant that may share a transaction. */
  readonly together: number;
  /** One event, or where `together` allows it several of one tenant, in the order of their delivery. */
  handle(tx: TenantTransaction, envelopes: readonly Envelope[], deps: Deps): Promise<void>;
}

/** Each handler holds a database connection; pools have ten. */
const usualConcurrency = 5;

/** A consumer of some event types; an event whose data does not fit its contract goes to the dead letters. */
export function consumer<Deps, E extends EventDefinition>(definition: {
  name: string;
  queue: string;
  events: readonly E[];
  concurrency?: number;
  handle(tx: TenantTransaction, event: ConsumedEvent<E>, deps: Deps): Promise<void>;
}): Consumer<Deps> {
  const { name, queue, events, concurrency = usualConcurrency } = definition;
  const byType = new Map<string, E>(events.map((event) => [event.type, event]));
  return {
    name,
    queue,
    concurrency,
    together: 1,
    bindings: events.map(({ type }) => type),
    async handle(tx, envelopes, deps) {
      for (const envelope of envelopes) {
        const event = byType.get(envelope.type);
        // A broker keeps the bindings of earlier versions of this consumer.
        if (event === undefined) continue;
        await definition.handle(tx, consumed(event, envelope), deps);
      }
    },
  };
}

/**
 * A consumer of every event there is, whatever its data: the audit. What everybody does arrives here, so events that
 * wait at the same time share transactions; each still counts for itself when it fails. With `together` above 1 there
 * is no actor or trace at hand, only those that each envelope names.
 */
export function consumerOfAll<Deps>(definition: {
  name: string;
  queue: string;
  concurrency?: number;
  together?: number;
  handle(tx: TenantTransaction, envelopes: readonly Envelope[], deps: Deps): Promise<void>;
}): Consumer<Deps> {
  const { name, queue, concurrency = usualConcurrency, together = 1 } = definition;
  return { name, queue, concurrency, together, bindings: ['#'], handle: definition.handle.bind(definition) };
}

function consumed<E extends EventDefinition>(event: E, envelope: Envelope): ConsumedEvent<E> {
  const fit = parseKnownFields(event.data, envelope.data);
  if (!fit.success) {
    throw new UnfitEvent(`the data does not fit ${event.type}: ${z.prettifyError(fit.error)}`);
  }
  const { id, type, tenantid: tenantId, subject, time } = envelope;
  return { id, type, tenantId, subject, time, data: fit.data as EventData<E>, envelope };
}
