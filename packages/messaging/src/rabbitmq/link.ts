import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@marimo/observability';
import type { ChannelModel } from 'amqplib';

/** A connection that is made again whenever it breaks, with all that was set up on it. */
export interface Link<T> {
  /** What `setup` made on the connection there is now; undefined while there is none. */
  readonly open: T | undefined;
  close(): Promise<void>;
}

export interface LinkOptions<T> {
  readonly url: string;
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string;
  readonly log: Log;
  /** Runs before the link counts as open. Calling `broken`, then or later, gives the connection up for another. */
  readonly setup: (connection: ChannelModel, broken: (reason: Error) => void) => Promise<T>;
  /** Runs as soon as it is open: for what may also be asked for at any moment, and must not fall in between. */
  readonly opened: (made: T) => Promise<void>;
}

const connectTimeoutMs = 5_000;
const setupTimeoutMs = 15_000;
const closeTimeoutMs = 5_000;
const longestBackoffMs = 3_000;

/** amqplib can reconnect too, but leaves errors during set-up unheard and keeps a connection whose channel died. */
export function openLink<T>({ url, name, log, setup, opened }: LinkOptions<T>): Link<T> {
  const address = withHeartbeat(url);
  const closing = new AbortController();
  let open: T | undefined;
  let failures = 0;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await oneConnection();
      } catch (error) {
        failures += 1;
        const level = failures === 1 && !closing.signal.aborted ? 'warn' : 'debug';
        log[level]('the broker is away', { link: name, failures, error });
      }
      open = undefined;
      await sleep(backoffMs(failures), undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  async function oneConnection(): Promise<void> {
    const { connect } = await import('amqplib'); // not needed where the queues are tables
    const connection = await connect(address, {
      noDelay: true, // Nagle's algorithm costs 20 ms on each small message
      keepAlive: true,
      timeout: connectTimeoutMs,
      clientProperties: { connection_name: name },
    });
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    connection.on('error', ended.reject);
    connection.on('close', (error) => ended.reject(error ?? new Error('The connection was closed')));
    try {
      const late = new Error(`The broker did not finish the set-up in ${setupTimeoutMs} ms`);
      open = await within(
        setupTimeoutMs,
        late,
        Promise.race([setup(connection, ended.reject), ended.promise]),
      );
      await within(setupTimeoutMs, late, Promise.race([opened(open), ended.promise]));
      if (failures > 0) log.info('the broker is back', { link: name });
      failures = 0;
      await Promise.race([ended.promise, aborted(closing.signal)]);
    } finally {
      open = undefined;
      await closeQuietly(connection);
    }
  }

  const running = run();
  return {
    get open() {
      return open;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** Half-open connections are noticed in 20 s. */
function withHeartbeat(url: string): string {
  const withQuery = new URL(url);
  if (!withQuery.searchParams.has('heartbeat')) withQuery.searchParams.set('heartbeat', '10');
  return withQuery.href;
}

function backoffMs(failures: number): number {
  return Math.min(longestBackoffMs, 50 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function within<T>(timeoutMs: number, late: Error, work: Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const giveUp = sleep(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
    throw late;
  });
  try {
    return await Promise.race([work, giveUp]);
  } finally {
    timeout.abort();
    giveUp.catch(() => {});
  }
}

/** Waits only so long: a broker that has stopped answering does not answer this either. */
async function closeQuietly(connection: ChannelModel): Promise<void> {
  connection.removeAllListeners('error');
  connection.on('error', () => {});
  await within(closeTimeoutMs, new Error('late'), connection.close()).catch(() => {});
}
