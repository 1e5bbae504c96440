import type { Envelope } from '@marimo/contracts';
import type { Delivery, Transport } from '@marimo/messaging';

type Handler = (delivery: Delivery) => Promise<void>;

/** A broker for the tests of one service: keeps what the service published, hands it what the test delivers. */
export interface MemoryTransport extends Transport {
  readonly published: readonly Envelope[];
  /** Gives the event to every consumer bound to it, and resolves when each is done; rejects when one fails. */
  deliver(envelope: Envelope): Promise<void>;
}

export function memoryTransport(): MemoryTransport {
  const published: Envelope[] = [];
  const bindings = new Map<string, readonly string[]>();
  const handlers = new Map<string, Handler>();

  return {
    published,
    async deliver(envelope) {
      const bound = [...handlers].filter(([queue]) =>
        bindings.get(queue)?.some((one) => binds(one, envelope.type)),
      );
      if (bound.length === 0) throw new Error(`No consumer of this service is bound to ${envelope.type}`);
      for (const [, handler] of bound) await handler({ envelope, attempt: 1 });
    },
    async declare(queues) {
      for (const queue of queues) bindings.set(queue.name, queue.bindings);
    },
    async publish(envelopes) {
      published.push(...envelopes);
      return new Set(envelopes.map(({ id }) => id));
    },
    async consume(queue, _, handler) {
      handlers.set(queue, handler);
      return { close: async () => void handlers.delete(queue) };
    },
    deadLetters: async () => [],
    replay: async () => 0,
    depth: async () => ({ waiting: 0, dead: 0 }),
    connected: true,
    close: async () => {},
  };
}

/** `*` stands for one word, `#` for any number. */
function binds(binding: string, type: string): boolean {
  const words = binding.split('.').map((word) => (word === '#' ? '.*' : word === '*' ? '[^.]+' : word));
  return new RegExp(`^${words.join('\\.')}$`).test(type);
}
