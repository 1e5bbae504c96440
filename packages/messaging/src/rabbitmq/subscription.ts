import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib';
import { failpoint } from '../failpoint.ts';
import { maxAttempts, reasonOf, UnfitEvent } from '../retry.ts';
import type { Delivery } from '../transport.ts';
import { attemptOf, envelopeIn, headers, idOf } from './message.ts';
import type { OutgoingMessage } from './publisher.ts';
import { deadExchange, waitExchangeOf } from './topology.ts';

export interface SubscriptionOptions {
  readonly queue: string;
  readonly concurrency: number;
  readonly retryDelaysMs: readonly number[];
  readonly handler: (delivery: Delivery) => Promise<void>;
  /** Resolves when the broker has stored it, rejects otherwise. */
  readonly send: (message: OutgoingMessage) => Promise<void>;
}

export interface RabbitmqSubscription {
  /** Starts consuming on a connection; nothing happens when it does so already. */
  attach(connection: ChannelModel, broken: (reason: Error) => void): Promise<void>;
  close(): Promise<void>;
}

/** Before a delivery is given back that could neither be finished nor sent on. */
const giveBackMs = 1_000;

export function subscribe(options: SubscriptionOptions): RabbitmqSubscription {
  const { queue, concurrency } = options;
  const inHand = new Set<Promise<void>>();
  let attachedTo: ChannelModel | undefined;
  let consuming: { channel: Channel; consumerTag: string } | undefined;
  let closed = false;

  function take(channel: Channel, message: ConsumeMessage): void {
    const taken = handle(options, channel, message).finally(() => inHand.delete(taken));
    inHand.add(taken);
  }

  async function stop({ channel, consumerTag }: { channel: Channel; consumerTag: string }): Promise<void> {
    await channel.cancel(consumerTag).catch(() => {});
    await Promise.all(inHand);
    await channel.close().catch(() => {});
  }

  return {
    async attach(connection, broken) {
      if (closed || attachedTo === connection) return;
      attachedTo = connection;
      const channel = await connection.createChannel();
      channel.on('error', broken);
      channel.on('close', () => {
        if (!closed) broken(new Error(`The channel of ${queue} was closed`));
      });
      await channel.prefetch(concurrency);
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message === null) broken(new Error(`The queue ${queue} is gone`));
        else take(channel, message);
      });
      consuming = { channel, consumerTag };
      if (closed) await stop(consuming);
    },
    async close() {
      closed = true;
      if (consuming !== undefined) await stop(consuming);
    },
  };
}

/** Never rejects. Where the channel has died meanwhile, the broker delivers again; the inbox makes that harmless. */
async function handle(options: SubscriptionOptions, channel: Channel, message: Message): Promise<void> {
  try {
    await attemptOrSendOn(options, message);
    channel.ack(message);
  } catch {
    await sleep(giveBackMs);
    try {
      channel.nack(message, false, true);
    } catch {}
  }
}

async function attemptOrSendOn(options: SubscriptionOptions, message: Message): Promise<void> {
  const envelope = envelopeIn(message);
  const attempt = attemptOf(message);
  try {
    if (envelope === null) throw new UnfitEvent('this is no event');
    if (attempt > maxAttempts) throw new UnfitEvent('its process ended in the middle of every attempt');
    await options.handler({ envelope, attempt });
  } catch (error) {
    await sendOn(options, message, Math.min(attempt, maxAttempts), error);
  }
}

/** To wait for the next attempt or, if there is none, to the dead letters. A crash after this doubles the message. */
async function sendOn(
  { queue, retryDelaysMs, send }: SubscriptionOptions,
  message: Message,
  attempt: number,
  error: unknown,
): Promise<void> {
  const { content } = message;
  const shared = { id: idOf(message), routingKey: queue, content };
  const delayMs = retryDelaysMs[attempt - 1];
  if (delayMs !== undefined && !(error instanceof UnfitEvent)) {
    await send({ ...shared, exchange: waitExchangeOf(delayMs), headers: { [headers.attempt]: attempt + 1 } });
    failpoint('transport.afterRetry');
    return;
  }
  const why = {
    [headers.reason]: reasonOf(error),
    [headers.attempts]: attempt,
    [headers.diedAt]: new Date().toISOString(),
  };
  await send({ ...shared, exchange: deadExchange, headers: why });
  failpoint('transport.afterPark');
}
