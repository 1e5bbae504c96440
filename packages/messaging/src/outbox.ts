import type { EventData, EventDefinition } from '@marimo/contracts';
import type { Transaction } from '@marimo/postgres';

export interface EventToAdd<E extends EventDefinition> {
  /** The id of the thing the event is about. */
  readonly subject: string;
  readonly data: EventData<E>;
}

/**
 * The only way an event leaves a service: a row in the transaction that makes the fact true.
 * Request id, actor and trace are taken from the work at hand.
 */
export interface Outbox {
  add<E extends EventDefinition>(
    tx: Transaction,
    event: E,
    subject: string,
    data: EventData<E>,
  ): Promise<void>;
  /** Many events of one type in one statement. */
  addAll<E extends EventDefinition>(
    tx: Transaction,
    event: E,
    events: readonly EventToAdd<E>[],
  ): Promise<void>;
}
