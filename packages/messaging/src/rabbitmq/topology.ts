import type { Channel, ChannelModel, Options } from 'amqplib';
import type { QueueDeclaration } from '../transport.ts';

/** Where every event is published, with its type as the routing key. */
export const eventsExchange = 'marimo.events';
/** Takes what no queue is bound to. Without it such an event would be confirmed and lost. */
export const unroutable = 'marimo.unroutable';
/** Routes by the name of the queue in which a delivery died. */
export const deadExchange = 'marimo.dead';

export function deadQueueOf(queue: string): string {
  return `${queue}.dead`;
}

/**
 * A delivery waits here for its next attempt, its queue's name as routing key, and then goes back to that queue. One
 * for each delay: messages with several in one queue would wait behind each other.
 */
export function waitExchangeOf(delayMs: number): string {
  return `marimo.wait.${delayMs}`;
}

/**
 * Replicated, on disk, and never dropping: a delivery that dies moves to where it is kept with the same guarantee,
 * for which RabbitMQ demands `reject-publish`.
 */
const quorum = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish' };
const keptWhenDead = { 'x-dead-letter-strategy': 'at-least-once' };

/**
 * Attempts are counted by the consumer. This is for a delivery that ends its process before it is even counted: more
 * than five, because a cut connection counts here too.
 */
const deliveryLimit = 20;

function durable(args: object): Options.AssertQueue {
  return { durable: true, arguments: { ...quorum, ...args } };
}

/** Safe to repeat. Arguments cannot be changed afterwards: RabbitMQ refuses with 406, and a queue needs a new name. */
export async function declareExchanges(channel: Channel, retryDelaysMs: readonly number[]): Promise<void> {
  await channel.assertExchange(unroutable, 'fanout', { durable: true });
  await channel.assertQueue(unroutable, durable({}));
  await channel.bindQueue(unroutable, unroutable, '');
  await channel.assertExchange(eventsExchange, 'topic', { durable: true, alternateExchange: unroutable });
  await channel.assertExchange(deadExchange, 'direct', { durable: true });
  for (const delayMs of retryDelaysMs) {
    const name = waitExchangeOf(delayMs);
    await channel.assertExchange(name, 'fanout', { durable: true });
    await channel.assertQueue(
      name,
      durable({ ...keptWhenDead, 'x-message-ttl': delayMs, 'x-dead-letter-exchange': '' }),
    );
    await channel.bindQueue(name, name, '');
  }
}

export async function declareQueue(channel: Channel, { name, bindings }: QueueDeclaration): Promise<void> {
  await channel.assertQueue(deadQueueOf(name), durable({}));
  await channel.bindQueue(deadQueueOf(name), deadExchange, name);
  await channel.assertQueue(
    name,
    durable({
      ...keptWhenDead,
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': deadExchange,
      'x-dead-letter-routing-key': name,
    }),
  );
  for (const binding of bindings) await channel.bindQueue(name, eventsExchange, binding);
}

/** A channel for a few commands: RabbitMQ closes a channel on the first thing it refuses. */
export async function onChannel<T>(
  connection: ChannelModel,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await connection.createChannel();
  channel.on('error', () => {}); // the refused command rejects with it
  try {
    return await work(channel);
  } finally {
    await channel.close().catch(() => {});
  }
}
