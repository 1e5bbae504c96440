import type { Envelope } from '@marimo/contracts';

export interface QueueDeclaration {
  /** `email_queue`, `audit_queue`, … */
  readonly name: string;
  /** Event types taken, with `*` for one word and `#` for any number, as AMQP topics: `users.*.v1`, `#`. */
  readonly bindings: readonly string[];
}

export interface Delivery {
  readonly envelope: Envelope;
  /** 1 the first time. A delivery that ended with its process counts too. */
  readonly attempt: number;
}

export interface DeadLetter {
  /** The event's id. */
  readonly id: string;
  readonly queue: string;
  /** Null when what arrived is no envelope at all; a broker takes anything from whoever may publish. */
  readonly envelope: Envelope | null;
  readonly reason: string;
  readonly attempts: number;
  readonly diedAt: string;
}

export interface QueueDepth {
  /** Deliveries that nobody has in hand; those that wait for a retry may be left out. */
  readonly waiting: number;
  readonly dead: number;
}

export interface Subscription {
  /** Takes no more, waits for what is in hand, then resolves. */
  close(): Promise<void>;
}

/**
 * Carries envelopes from the outbox to queues, at least once and in no promised order. Two adapters, `rabbitmq` and
 * `postgres`, pass one conformance suite.
 */
export interface Transport {
  /**
   * Makes the queues and their dead-letter queues; safe to repeat. An event that no queue took is kept, and goes to
   * the first queue declared that takes it.
   */
  declare(queues: readonly QueueDeclaration[]): Promise<void>;
  /**
   * Resolves with the ids that are safely stored in every queue bound to them; rejects or leaves out what is not.
   * Nothing is buffered: what is left out stays in the outbox.
   */
  publish(envelopes: readonly Envelope[]): Promise<ReadonlySet<string>>;
  /**
   * Calls the handler for each delivery. When it resolves, the delivery is done; when it rejects, it comes again after
   * a growing delay, five attempts in all, then it is parked with the dead letters; `UnfitEvent` parks it at once.
   */
  consume(
    queue: string,
    options: { concurrency: number },
    handler: (delivery: Delivery) => Promise<void>,
  ): Promise<Subscription>;
  deadLetters(queue: string, limit: number): Promise<DeadLetter[]>;
  /** Puts dead letters back at the end of their queue; returns how many. Without ids: all of them. */
  replay(queue: string, ids?: readonly string[]): Promise<number>;
  depth(queue: string): Promise<QueueDepth>;
  /** False while the broker is away. */
  readonly connected: boolean;
  /** Close subscriptions and relays first. */
  close(): Promise<void>;
}
