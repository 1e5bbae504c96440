import type { Envelope, EventData, EventDefinition } from '@marimo/contracts';
import type { Transaction } from '@marimo/postgres';

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
  readonly name: string;
  readonly queue: string;
  readonly bindings: readonly string[];
  readonly concurrency: number;
  handle(tx: Transaction, envelope: Envelope, deps: Deps): Promise<void>;
}

/** A consumer of some event types; an event whose data does not fit its contract goes to the dead letters. */
export declare function consumer<Deps, E extends EventDefinition>(definition: {
  name: string;
  queue: string;
  events: readonly E[];
  concurrency?: number;
  handle(tx: Transaction, event: ConsumedEvent<E>, deps: Deps): Promise<void>;
}): Consumer<Deps>;

/** A consumer of every event there is, whatever its data: the audit. */
export declare function consumerOfAll<Deps>(definition: {
  name: string;
  queue: string;
  concurrency?: number;
  handle(tx: Transaction, envelope: Envelope, deps: Deps): Promise<void>;
}): Consumer<Deps>;
