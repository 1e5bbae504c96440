import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint, type Wake } from '@marimo/messaging';
import { type Metrics, runPeriodically } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { claimDue, deleteOldSagas, extendLeases, measureSagas } from './claim-store.ts';
import { runHeld, type SagaWork } from './run-held.ts';
import type { Held } from './saga.ts';

export interface SagaRunnerOptions
  extends Omit<SagaWork, 'leaseMs' | 'callWithinMs' | 'visit'>,
    Partial<Pick<SagaWork, 'leaseMs' | 'callWithinMs' | 'visit'>> {
  /** The service's database, opened as its relay: it sees which sagas are due, of all tenants. */
  readonly relayDatabase: Database;
  readonly metrics: Metrics;
  /** Rung when this process starts a saga or lets one go on; those of others are found by looking every `pollMs`. */
  readonly wake: Wake;
  /** Sagas at once; default 8. */
  readonly concurrency?: number;
  /** Default 1,000. */
  readonly pollMs?: number;
}

export interface SagaRunner {
  /** Finishes the steps under way and hands the sagas back. */
  close(): Promise<void>;
}

const relayWithinMs = 10_000;
const measureEveryMs = 15_000;
const sweepEveryMs = 3_600_000;
const databaseAwayMs = 500;
const keptDays = 90;
const sweepRows = 1_000;

/**
 * Runs the sagas of a service. Any number of instances share the work: each takes up what is due for a lease that it keeps
 * extending, and whoever lost a lease can write nothing any more. All leases are measured by the database's clock.
 */
export function startSagaRunner(options: SagaRunnerOptions): SagaRunner {
  const { relayDatabase, log, wake, concurrency = 8, pollMs = 1_000 } = options;
  const { leaseMs = 10_000, callWithinMs = 10_000, visit = failpoint } = options;
  const work: SagaWork = { ...options, leaseMs, callWithinMs, visit };
  const inHand = new Map<Held, AbortController>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  async function handle(held: Held): Promise<void> {
    const lost = new AbortController();
    inHand.set(held, lost);
    try {
      visit('saga.afterClaim');
      await runHeld(work, held, lost.signal, () => !closing.signal.aborted);
    } catch (error) {
      log.warn('a saga was put down; its lease runs out', { sagaId: held.sagaId, error });
    }
    inHand.delete(held);
  }

  function begin(held: Held): void {
    const handled = handle(held).finally(() => {
      running.delete(handled);
      wake.ring();
    });
    running.add(handled);
  }

  async function run(): Promise<void> {
    let failing = false;
    while (!closing.signal.aborted) {
      try {
        const room = concurrency - inHand.size;
        const taken = room > 0 ? await asRelay((tx) => claimDue(tx, room, leaseMs)) : [];
        for (const held of taken) begin(held);
        failing = false;
        if (room === 0 || taken.length < room) await wake.wait(pollMs);
      } catch (error) {
        if (!failing) log.warn('sagas cannot be taken up', { error });
        failing = true;
        await sleep(databaseAwayMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
    while (running.size > 0) await Promise.all(running);
  }

  async function keepLeases(): Promise<void> {
    const held = [...inHand.keys()];
    if (held.length === 0) return;
    const taken = await asRelay((tx) => extendLeases(tx, held, leaseMs));
    for (const each of taken) inHand.get(each)?.abort();
  }

  const asRelay = <T>(statements: (tx: Parameters<typeof claimDue>[0]) => Promise<T>) =>
    relayDatabase.withoutTenant(statements, { deadlineAt: Date.now() + relayWithinMs });
  const ended = run();
  const stopping = [
    runPeriodically({ name: 'keeping sagas in hand', pauseMs: leaseMs / 3, log }, keepLeases),
    runPeriodically({ name: 'measuring sagas', pauseMs: measureEveryMs, log }, sagaGauges(options)),
    runPeriodically({ name: 'forgetting old sagas', pauseMs: sweepEveryMs, log }, () =>
      forgetOldSagas(relayDatabase),
    ),
  ];
  return {
    async close() {
      closing.abort();
      wake.ring();
      await ended;
      await Promise.all(stopping.map((stop) => stop()));
    },
  };
}

/** Those that ended 90 days ago, whatever their end. */
export async function forgetOldSagas(relayDatabase: Database): Promise<void> {
  for (let deleted = sweepRows; deleted === sweepRows; ) {
    deleted = await relayDatabase.withoutTenant((tx) => deleteOldSagas(tx, keptDays, sweepRows), {
      deadlineAt: Date.now() + relayWithinMs,
    });
  }
}

function sagaGauges({ relayDatabase, metrics }: SagaRunnerOptions): () => Promise<void> {
  const stuck = metrics.gauge('sagas_stuck', 'Sagas that wait for a person', []);
  const oldest = metrics.gauge('sagas_oldest_due_seconds', 'How long the longest due saga has waited', []);
  return async () => {
    const found = await relayDatabase.withoutTenant(measureSagas, { deadlineAt: Date.now() + relayWithinMs });
    stuck.set(found.stuck);
    oldest.set(found.oldestDueSeconds);
  };
}
