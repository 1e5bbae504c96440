import type { Transport } from '@marimo/messaging';

/** For a process without a database and without a broker; no service in it has events. */
export function noTransport(): Transport {
  const refuse = async (): Promise<never> => {
    throw new Error('this process has nowhere to keep messages: set DB_HOST or RABBITMQ_URL');
  };
  return {
    declare: refuse,
    publish: refuse,
    consume: refuse,
    deadLetters: refuse,
    replay: refuse,
    depth: refuse,
    connected: false,
    close: async () => {},
  };
}
