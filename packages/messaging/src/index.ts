export { type ConsumedEvent, type Consumer, consumer, consumerOfAll } from './consumer.ts';
export { type Failpoint, failpoint } from './failpoint.ts';
export { outboxMigrations, queueMigrations } from './migrations.ts';
export {
  type Cause,
  createOutbox,
  currentCause,
  type EventToAdd,
  type Outbox,
  type OutboxOptions,
} from './outbox.ts';
export { type PostgresTransportOptions, postgresTransport } from './postgres/transport.ts';
export { type RabbitmqTransportOptions, rabbitmqTransport } from './rabbitmq/transport.ts';
export { type Relay, type RelayOptions, startRelay } from './relay.ts';
export { UnfitEvent } from './retry.ts';
export { type ConsumersOptions, startConsumers } from './start-consumers.ts';
export type {
  DeadLetter,
  Delivery,
  QueueDeclaration,
  QueueDepth,
  Subscription,
  Transport,
} from './transport.ts';
export { createWake, type Wake } from './wake.ts';
