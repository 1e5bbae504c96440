import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { failpoint } from '../failpoint.ts';
import { maxAttempts, reasonOf, UnfitEvent } from '../retry.ts';
import type { Delivery } from '../transport.ts';
import { createWake } from '../wake.ts';
import * as store from './store.ts';

export interface SubscriptionOptions {
  readonly database: Database;
  readonly log: Log;
  readonly queue: string;
  readonly concurrency: number;
  readonly handler: (delivery: Delivery) => Promise<void>;
  readonly retryDelaysMs: readonly number[];
  /** How long a delivery stays with a process that has gone silent. */
  readonly leaseMs: number;
}

export interface PostgresSubscription {
  readonly queue: string;
  /** Says that the queue has something due. */
  wake(): void;
  close(): Promise<void>;
}

const databaseAwayMs = 500;

/** What handlers have come to since the last turn. */
interface Settled {
  readonly done: store.HeldDelivery[];
  readonly failed: store.DelayedDelivery[];
  readonly lost: store.LostDelivery[];
}

/**
 * Handles a queue's deliveries, so many at a time. All it asks of the database goes through one transaction after the
 * other, each telling what is finished and taking new work: under load one turn serves many deliveries.
 */
export function subscribe(options: SubscriptionOptions): PostgresSubscription {
  const { database, log, queue, concurrency, handler, retryDelaysMs, leaseMs } = options;
  const wake = createWake();
  const inHand = new Map<bigint, store.HeldDelivery>();
  let settled = nothingSettled();
  let mayHaveDue = true;
  let leasesExtendedAt = Date.now();
  let closing = false;

  async function handle(taken: store.TakenDelivery): Promise<void> {
    const { id, attempt, envelope } = taken;
    inHand.set(id, taken);
    try {
      if (attempt > maxAttempts) throw new UnfitEvent('its process ended in the middle of every attempt');
      await handler({ envelope, attempt });
      settled.done.push(taken);
    } catch (error) {
      const delayMs = retryDelaysMs[attempt - 1];
      if (error instanceof UnfitEvent || delayMs === undefined) {
        const attempts = Math.min(attempt, maxAttempts);
        settled.lost.push({ id, attempt, attempts, reason: reasonOf(error) });
      } else {
        settled.failed.push({ id, attempt, delayMs });
      }
    }
    inHand.delete(id);
    wake.ring();
  }

  async function turn(): Promise<void> {
    const telling = settled;
    const room = closing || !mayHaveDue ? 0 : concurrency - inHand.size;
    const extend = inHand.size > 0 && Date.now() - leasesExtendedAt >= leaseMs / 3;
    if (room === 0 && !extend && isEmpty(telling)) return;
    settled = nothingSettled();
    mayHaveDue = mayHaveDue && room === 0;
    try {
      const taken = await database.withoutTenant(
        async (tx) => {
          await tell(tx, telling);
          if (extend) await store.extendLeases(tx, [...inHand.values()], leaseMs);
          return room > 0 ? store.takeDeliveries(tx, queue, room, leaseMs) : [];
        },
        { deadlineAt: Date.now() + store.transactionWithinMs },
      );
      if (extend) leasesExtendedAt = Date.now();
      if (taken.length === room && room > 0) mayHaveDue = true;
      for (const delivery of taken) void handle(delivery);
    } catch (error) {
      // Perhaps it was committed: to tell it again is harmless, the attempt no longer fits.
      settled = joined(telling, settled);
      mayHaveDue = true;
      throw error;
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!closing || inHand.size > 0 || !isEmpty(settled)) {
      try {
        await turn();
        failures = 0;
        const canTake = mayHaveDue && !closing && inHand.size < concurrency;
        if (!canTake && isEmpty(settled)) await wake.wait(leaseMs / 3);
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn('the queues cannot be reached', { queue, error });
        // Once the handlers are done, what could not be told is left to the leases: everything comes again.
        if (closing && inHand.size === 0) return;
        await sleep(databaseAwayMs);
      }
    }
  }

  const running = run();
  return {
    queue,
    wake() {
      mayHaveDue = true;
      wake.ring();
    },
    async close() {
      closing = true;
      wake.ring();
      await running;
    },
  };
}

async function tell(
  tx: Parameters<typeof store.deleteDone>[0],
  { done, failed, lost }: Settled,
): Promise<void> {
  if (done.length > 0) await store.deleteDone(tx, done);
  if (failed.length > 0) {
    await store.delayDeliveries(tx, failed);
    failpoint('transport.afterRetry');
  }
  if (lost.length > 0) {
    await store.parkDeliveries(tx, lost);
    failpoint('transport.afterPark');
  }
}

function nothingSettled(): Settled {
  return { done: [], failed: [], lost: [] };
}

function isEmpty({ done, failed, lost }: Settled): boolean {
  return done.length === 0 && failed.length === 0 && lost.length === 0;
}

function joined(first: Settled, second: Settled): Settled {
  return {
    done: [...first.done, ...second.done],
    failed: [...first.failed, ...second.failed],
    lost: [...first.lost, ...second.lost],
  };
}
