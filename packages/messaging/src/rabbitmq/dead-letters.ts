import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel, GetMessage } from 'amqplib';
import { failpoint } from '../failpoint.ts';
import type { DeadLetter } from '../transport.ts';
import { deadLetterIn, idOf } from './message.ts';
import type { OutgoingMessage } from './publisher.ts';
import { deadQueueOf, eventsExchange, onChannel, unroutable } from './topology.ts';

/** What is looked at and not acknowledged goes back into its queue when the channel closes. */
export async function browseDeadLetters(
  connection: ChannelModel,
  queue: string,
  limit: number,
): Promise<DeadLetter[]> {
  const letters = await onChannel(connection, async (channel) => {
    const seen: DeadLetter[] = [];
    for await (const message of everyMessage(channel, deadQueueOf(queue))) {
      seen.push(deadLetterIn(message, queue));
      if (seen.length === limit) break;
    }
    return seen;
  });
  await onChannel(connection, (channel) => untilBack(channel, deadQueueOf(queue), letters.length));
  return letters;
}

/** The queue takes them back a moment after the channel has closed; who replays next must find them. */
async function untilBack(channel: Channel, queue: string, count: number): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount >= count) return; // fewer for good where somebody else has replayed them by now
    await pause(20);
  }
}

export function replayDeadLetters(
  connection: ChannelModel,
  queue: string,
  ids: readonly string[] | undefined,
  send: (message: OutgoingMessage) => Promise<void>,
): Promise<number> {
  const wanted = ids && new Set(ids);
  return onChannel(connection, async (channel) => {
    let replayed = 0;
    for await (const message of everyMessage(channel, deadQueueOf(queue))) {
      const id = idOf(message);
      if (wanted?.has(id) === false) continue;
      await send({ exchange: '', routingKey: queue, id, content: message.content });
      failpoint('transport.afterReplay');
      channel.ack(message);
      replayed += 1;
    }
    return replayed;
  });
}

/** Publishes once more what no queue took; what is still wanted by none comes back here. */
export async function deliverUnroutable(
  connection: ChannelModel,
  send: (message: OutgoingMessage) => Promise<void>,
): Promise<void> {
  await onChannel(connection, async (channel) => {
    for await (const message of everyMessage(channel, unroutable)) {
      const { routingKey } = message.fields;
      await send({ exchange: eventsExchange, routingKey, id: idOf(message), content: message.content });
      channel.ack(message);
    }
  });
}

/** What is in the queue now, not what comes while we look. */
async function* everyMessage(channel: Channel, queue: string): AsyncGenerator<GetMessage> {
  const { messageCount } = await channel.checkQueue(queue);
  for (let seen = 0; seen < messageCount; seen += 1) {
    const message = await channel.get(queue);
    if (message === false) return;
    yield message;
  }
}
