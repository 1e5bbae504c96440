import { type Log, type Metrics, runPeriodically } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import { comparePage } from './compare.ts';
import type { Mirror } from './mirror.ts';
import {
  type Comparison,
  claimComparison,
  getOldestDueSeconds,
  insertStandings,
  postponeStanding,
  restartStandings,
} from './standing-store.ts';

export interface MirrorRunnerOptions {
  readonly mirrors: readonly Mirror[];
  readonly database: Database;
  /** The service's database, opened as its relay: it sees which mirrors are due, of all tenants. */
  readonly relayDatabase: Database;
  readonly client: Pick<ServiceClient, 'call'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Default 1,000. */
  readonly pollMs?: number;
}

const leaseMs = 60_000;
const againAfterMs = 24 * 3_600_000;
const relayWithinMs = 10_000;
const measureEveryMs = 15_000;

/**
 * Fills the mirrors of a service, and once a day compares them with what was changed since: after a time without events
 * they catch up. Instances share the work page by page, and a page can be repeated, so nothing is lost with a process.
 */
export function startMirrors(options: MirrorRunnerOptions): { close(): Promise<void> } {
  const { mirrors, relayDatabase, log, metrics, pollMs = 1_000 } = options;
  const stopping = mirrors.map((mirror) => {
    const { fullName } = mirror.record;
    let areKnown = false;
    return runPeriodically(
      { name: `comparing the mirror of ${fullName}`, pauseMs: pollMs, log },
      async (signal) => {
        if (!areKnown) await asRelay(relayDatabase, (tx) => insertStandings(tx, fullName));
        areKnown = true;
        while (!signal.aborted && (await compareNext(mirror, options, signal)));
      },
    );
  });
  const oldest = metrics.gauge(
    'mirrors_oldest_due_seconds',
    'How long the longest due mirror has waited to be filled or compared',
    [],
  );
  stopping.push(
    runPeriodically({ name: 'measuring mirrors', pauseMs: measureEveryMs, log }, async () => {
      oldest.set(await asRelay(relayDatabase, getOldestDueSeconds));
    }),
  );
  return {
    async close() {
      await Promise.all(stopping.map((stop) => stop()));
    },
  };
}

/** One page of the organisation whose turn it is; false when none is due. */
async function compareNext(
  mirror: Mirror,
  { database, relayDatabase, client, log }: MirrorRunnerOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { fullName } = mirror.record;
  const taken: Comparison | undefined = await asRelay(relayDatabase, (tx) =>
    claimComparison(tx, fullName, leaseMs),
  );
  if (taken === undefined) return false;
  const { tenantId } = taken;
  try {
    const spread = 0.9 + Math.random() / 5; // those that were filled together are not compared together
    await comparePage(mirror, taken, { database, client, signal, againAfterMs: againAfterMs * spread });
  } catch (error) {
    if (!signal.aborted) log.warn('a mirror could not be compared', { mirror: fullName, tenantId, error });
    await database.inTenant(tenantId, (tx) => postponeStanding(tx, fullName), {
      deadlineAt: Date.now() + relayWithinMs,
    });
  }
  return true;
}

/**
 * Has the mirror of a record compared from the beginning, in all organisations or in one. The running services do it within
 * seconds; what is there serves meanwhile. Returns in how many organisations.
 */
export async function rebuildMirror(
  relayDatabase: Database,
  record: string,
  organisationId?: string,
): Promise<number> {
  return asRelay(relayDatabase, async (tx) => {
    await insertStandings(tx, record);
    return restartStandings(tx, record, organisationId);
  });
}

function asRelay<T>(database: Database, work: Parameters<typeof database.withoutTenant<T>>[0]): Promise<T> {
  return database.withoutTenant(work, { deadlineAt: Date.now() + relayWithinMs });
}
