import type { Log } from '@marimo/observability';
import type { ChannelModel } from 'amqplib';
import { checkedDelays, usualRetryDelaysMs } from '../retry.ts';
import type { QueueDeclaration, Transport } from '../transport.ts';
import { browseDeadLetters, deliverUnroutable, replayDeadLetters } from './dead-letters.ts';
import { openLink } from './link.ts';
import { contentOf, type OutgoingMessage, openPublisher, type Publisher } from './publisher.ts';
import { type RabbitmqSubscription, subscribe } from './subscription.ts';
import { deadQueueOf, declareExchanges, declareQueue, eventsExchange, onChannel } from './topology.ts';

export interface RabbitmqTransportOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps:`. */
  readonly url: string;
  readonly log: Log;
  /** After the first, second, third and fourth failed attempt. The same in every process of an installation. */
  readonly retryDelaysMs?: readonly number[];
}

/**
 * Queues in RabbitMQ 3.10 or later. It need not be there when this is called: what is declared and consumed is
 * remembered and made on every new connection; what is published meanwhile is refused and stays in the outbox.
 */
export function rabbitmqTransport(options: RabbitmqTransportOptions): Transport {
  const { url, log } = options;
  const retryDelaysMs = checkedDelays(options.retryDelaysMs ?? usualRetryDelaysMs);
  const queues = new Map<string, QueueDeclaration>();
  const subscriptions = new Set<RabbitmqSubscription>();

  // Two connections: RabbitMQ stops reading from one that publishes too fast, and acknowledgements must get through.
  const publishing = openLink({
    url,
    name: 'marimo publish',
    log,
    async setup(connection, broken) {
      await onChannel(connection, (channel) => declareExchanges(channel, retryDelaysMs));
      return { connection, publisher: await openPublisher(connection, broken) };
    },
    async opened({ connection }) {
      await declareOn(connection, [...queues.values()]);
    },
  });
  const consuming = openLink({
    url,
    name: 'marimo consume',
    log,
    setup: async (connection, broken) => ({ connection, broken }),
    async opened({ connection, broken }) {
      await onChannel(connection, async (channel) => {
        await declareExchanges(channel, retryDelaysMs);
        for (const queue of queues.values()) await declareQueue(channel, queue);
      });
      for (const subscription of subscriptions) await subscription.attach(connection, broken);
    },
  });

  async function declareOn(connection: ChannelModel, declared: readonly QueueDeclaration[]): Promise<void> {
    await onChannel(connection, async (channel) => {
      for (const queue of declared) await declareQueue(channel, queue);
    });
    if (declared.length > 0) await deliverUnroutable(connection, send);
  }

  function present(): { connection: ChannelModel; publisher: Publisher } {
    if (publishing.open === undefined) throw new Error('The broker is away');
    return publishing.open;
  }

  async function send(message: OutgoingMessage): Promise<void> {
    const stored = await present().publisher.publish([message]);
    if (!stored.has(message.id)) throw new Error('The broker did not store a message');
  }

  return {
    async declare(declared) {
      for (const queue of declared) queues.set(queue.name, queue);
      if (publishing.open !== undefined) await declareOn(publishing.open.connection, declared);
    },

    async publish(envelopes) {
      const messages = envelopes.map((envelope) => ({
        exchange: eventsExchange,
        routingKey: envelope.type,
        id: envelope.id,
        content: contentOf(envelope),
      }));
      return present().publisher.publish(messages);
    },

    async consume(queue, { concurrency }, handler) {
      const subscription = subscribe({ queue, concurrency, handler, retryDelaysMs, send });
      subscriptions.add(subscription);
      const now = consuming.open;
      if (now !== undefined) await subscription.attach(now.connection, now.broken).catch(now.broken);
      return {
        async close() {
          subscriptions.delete(subscription);
          await subscription.close();
        },
      };
    },

    deadLetters: async (queue, limit) => browseDeadLetters(present().connection, queue, limit),
    replay: async (queue, ids) => replayDeadLetters(present().connection, queue, ids, send),
    depth: async (queue) =>
      onChannel(present().connection, async (channel) => ({
        waiting: (await channel.checkQueue(queue)).messageCount,
        dead: (await channel.checkQueue(deadQueueOf(queue))).messageCount,
      })),

    get connected() {
      return publishing.open?.publisher.blocked === false && consuming.open !== undefined;
    },

    async close() {
      await Promise.all([publishing.close(), consuming.close()]);
    },
  };
}
