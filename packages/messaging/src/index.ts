export { type ConsumedEvent, type Consumer, consumer, consumerOfAll } from './consumer.ts';
export type { EventToAdd, Outbox } from './outbox.ts';
export type { DeadLetter, Delivery, QueueDeclaration, Subscription, Transport } from './transport.ts';
