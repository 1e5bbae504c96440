import type { Envelope } from '@marimo/contracts';
import type { ChannelModel } from 'amqplib';

export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  /** The event's id. */
  readonly id: string;
  readonly content: Buffer;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** Publishes on one connection. */
export interface Publisher {
  /** Resolves with the ids the broker has stored. What has no answer in time ends the connection. */
  publish(messages: readonly OutgoingMessage[]): Promise<ReadonlySet<string>>;
  readonly blocked: boolean;
}

/** As long as a broker under pressure may take; the outbox holds its rows locked meanwhile. */
const confirmTimeoutMs = 10_000;

export async function openPublisher(
  connection: ChannelModel,
  broken: (reason: Error) => void,
): Promise<Publisher> {
  const channel = await connection.createConfirmChannel();
  channel.on('error', broken);
  channel.on('close', () => broken(new Error('The channel for publishing was closed')));
  let blocked = false;
  connection.on('blocked', () => {
    blocked = true;
  });
  connection.on('unblocked', () => {
    blocked = false;
  });
  // A returned message is confirmed as well, just after.
  const returned = new Set<string>();
  channel.on('return', (message) => returned.add(String(message.properties.messageId)));

  function publishOne(message: OutgoingMessage, stored: Set<string>): Promise<void> {
    const { exchange, routingKey, id, content, headers } = message;
    return new Promise((answered) => {
      const options = {
        persistent: true,
        mandatory: true,
        messageId: id,
        contentType: 'application/json',
        headers: { ...headers },
      };
      channel.publish(exchange, routingKey, content, options, (error: unknown) => {
        if (!returned.delete(id) && error === null) stored.add(id);
        answered();
      });
    });
  }

  return {
    async publish(messages) {
      // What is written to a blocked connection would pile up in this process.
      if (blocked) throw new Error('The broker takes no messages: it is short of memory or disk');
      const stored = new Set<string>();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        broken(
          new Error(`The broker confirmed ${stored.size} of ${messages.length} in ${confirmTimeoutMs} ms`),
        );
        late.resolve();
      }, confirmTimeoutMs);
      try {
        // A channel that dies answers all of them with an error.
        await Promise.race([Promise.all(messages.map((each) => publishOne(each, stored))), late.promise]);
      } finally {
        clearTimeout(timer);
      }
      return new Set(stored);
    },
    get blocked() {
      return blocked;
    },
  };
}

export function contentOf(envelope: Envelope): Buffer {
  return Buffer.from(JSON.stringify(envelope));
}
