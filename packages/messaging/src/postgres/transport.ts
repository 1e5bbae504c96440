import { type Log, runPeriodically } from '@marimo/observability';
import { type Database, DatabaseUnavailable, type Transaction } from '@marimo/postgres';
import { failpoint } from '../failpoint.ts';
import { checkedDelays, usualRetryDelaysMs } from '../retry.ts';
import { topicExpression } from '../topics.ts';
import type { Transport } from '../transport.ts';
import * as store from './store.ts';
import { type PostgresSubscription, subscribe } from './subscription.ts';

export interface PostgresTransportOptions {
  /** The schema `messaging`, opened as its app; closed with the transport. */
  readonly database: Database;
  readonly log: Log;
  /** After the first, second, third and fourth failed attempt. */
  readonly retryDelaysMs?: readonly number[];
  /** How often to look for what other processes published and for retries that are due; default 200. */
  readonly pollMs?: number;
  /** How long a delivery stays with a process that has gone silent; default 30,000. */
  readonly leaseMs?: number;
}

/**
 * Queues as tables, for an installation without RabbitMQ. What is published in this process is noticed at once, what
 * comes from another within `pollMs`: NOTIFY would be quicker, but takes a lock on the whole database at each commit.
 */
export function postgresTransport(options: PostgresTransportOptions): Transport {
  const { database, log, pollMs = 200, leaseMs = 30_000 } = options;
  const retryDelaysMs = checkedDelays(options.retryDelaysMs ?? usualRetryDelaysMs);
  const subscriptions = new Set<PostgresSubscription>();
  let connected = true;

  async function transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      const result = await database.withoutTenant(work, {
        deadlineAt: Date.now() + store.transactionWithinMs,
      });
      connected = true;
      return result;
    } catch (error) {
      connected = !(error instanceof DatabaseUnavailable);
      throw error;
    }
  }

  function wake(queues: readonly string[]): void {
    for (const subscription of subscriptions) {
      if (queues.includes(subscription.queue)) subscription.wake();
    }
  }

  const stopPolling = runPeriodically({ name: 'looking into the queues', pauseMs: pollMs, log }, async () => {
    const queues = [...subscriptions].map(({ queue }) => queue);
    if (queues.length > 0) wake(await transact((tx) => store.selectDueQueues(tx, queues)));
  });

  return {
    async declare(queues) {
      if (queues.some(({ name }) => name === store.unroutable))
        throw new Error(`${store.unroutable} is taken`);
      const patterns = queues.map(({ name, bindings }) => ({
        name,
        patterns: bindings.map(topicExpression),
      }));
      await transact(async (tx) => {
        await store.saveQueues(tx, patterns);
        await store.deliverUnroutable(tx);
      });
      wake(queues.map(({ name }) => name));
    },

    async publish(envelopes) {
      wake(await transact((tx) => store.insertDeliveries(tx, envelopes)));
      return new Set(envelopes.map(({ id }) => id));
    },

    async consume(queue, { concurrency }, handler) {
      const subscription = subscribe({ database, log, queue, concurrency, handler, retryDelaysMs, leaseMs });
      subscriptions.add(subscription);
      return {
        async close() {
          await subscription.close();
          subscriptions.delete(subscription);
        },
      };
    },

    deadLetters: (queue, limit) => transact((tx) => store.selectDeadLetters(tx, queue, limit)),

    async replay(queue, ids) {
      const replayed = await transact(async (tx) => {
        const returned = await store.returnDeadLetters(tx, queue, ids ?? null);
        failpoint('transport.afterReplay');
        return returned;
      });
      wake([queue]);
      return replayed;
    },

    depth: (queue) => transact((tx) => store.selectDepth(tx, queue)),

    get connected() {
      return connected;
    },

    async close() {
      await stopPolling();
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      await database.close();
    },
  };
}
