import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '@marimo/contracts';
import { inSpan, type Log, type Metrics, runPeriodically, SpanKind } from '@marimo/observability';
import type { Database, Transaction } from '@marimo/postgres';
import { failpoint } from './failpoint.ts';
import { sweepInbox } from './inbox.ts';
import type { Transport } from './transport.ts';
import type { Wake } from './wake.ts';

export interface RelayOptions {
  /** The service's database, opened as its relay: it sees the messaging tables of all tenants and nothing else. */
  readonly database: Database;
  readonly transport: Transport;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Rung by this process's outbox; rows of other processes are found by looking every `pollMs`. */
  readonly wake: Wake;
  /** Rows claimed at a time; default 250. */
  readonly windowRows?: number;
  /** Default 1,000. */
  readonly pollMs?: number;
  /** How long others gather after a window of events; default `usualGatherMs`. */
  readonly gatherMs?: (published: number) => number;
}

export interface Relay {
  /** Publishes what is waiting, as far as the broker takes it, then stops. */
  close(): Promise<void>;
}

/** Longer than a transport takes to give up; notices a database that has gone silent. */
const windowWithinMs = 30_000;
/**
 * An event that comes alone goes at once, as does the answer to it. At more than a hundred events a second a window
 * goes every 0.1 s and carries those of many commits: a window with what it sets off costs five commits, however many
 * events it carries.
 */
export const usualGatherMs = (published: number): number => Math.min(100, 10 * published);

const measureEveryMs = 5_000;
const sweepEveryMs = 3_600_000;
const longestBackoffMs = 5_000;

/**
 * Carries rows from the outbox to the transport, at least once each: a row is deleted only in a transaction that
 * began before it was published and ends after the broker has confirmed it. Several relays share the work.
 */
export function startRelay(options: RelayOptions): Relay {
  const { database, log, wake, windowRows = 250, pollMs = 1_000, gatherMs = usualGatherMs } = options;
  const relayWindow = windowRelay(options, windowRows);
  const closing = new AbortController();
  let failures = 0;

  async function run(): Promise<void> {
    for (;;) {
      // Only a window that begins after the call to close sees everything that was committed before it.
      const mayBeLast = closing.signal.aborted;
      const { claimed, confirmed, error } = await relayWindow();
      if (confirmed < claimed || error !== undefined) {
        if (mayBeLast) return;
        failures += 1;
        const level = failures === 1 ? 'warn' : 'debug';
        log[level]('events wait in the outbox', { error, claimed, confirmed, failures });
        // Not by the bell: it rings at every commit, and nothing can be delivered now.
        await sleep(backoffMs(failures), undefined, { signal: closing.signal }).catch(() => {});
        continue;
      }
      if (failures > 0) {
        log.info('events leave the outbox again', { failures });
        failures = 0;
      }
      if (claimed === windowRows) continue;
      if (mayBeLast) return;
      if (closing.signal.aborted) continue;
      if (claimed > 0) await sleep(gatherMs(claimed), undefined, { signal: closing.signal }).catch(() => {});
      await wake.wait(pollMs);
    }
  }

  const running = run();
  const stopMeasuring = runPeriodically(
    { name: 'measuring the outbox', pauseMs: measureEveryMs, log },
    outboxGauges(options),
  );
  const stopSweeping = runPeriodically({ name: 'sweeping the inbox', pauseMs: sweepEveryMs, log }, () =>
    sweepInbox(database),
  );
  return {
    async close() {
      closing.abort();
      wake.ring();
      await Promise.all([running, stopMeasuring(), stopSweeping()]);
    },
  };
}

function backoffMs(failures: number): number {
  return Math.min(longestBackoffMs, 100 * 2 ** failures) * (0.5 + Math.random() / 2);
}

interface WindowOutcome {
  readonly claimed: number;
  readonly confirmed: number;
  readonly error?: unknown;
}

function windowRelay({ database, transport, metrics }: RelayOptions, windowRows: number) {
  const duration = metrics.histogram(
    'outbox_publish_duration_seconds',
    'Time from handing a window of events to the broker until it has confirmed them',
    [],
  );

  async function inTransaction(tx: Transaction): Promise<WindowOutcome> {
    const rows = await claimRows(tx, windowRows);
    if (rows.length === 0) return { claimed: 0, confirmed: 0 };
    failpoint('relay.afterClaim');
    const endTimer = duration.startTimer();
    const stored = await traced(
      database.schema,
      rows.map((row) => row.envelope),
      (envelopes) => transport.publish(envelopes),
    );
    endTimer();
    failpoint('relay.afterPublish');
    const positions = rows.filter(({ envelope }) => stored.has(envelope.id)).map((row) => row.position);
    await deleteRows(tx, positions);
    failpoint('relay.afterDelete');
    return { claimed: rows.length, confirmed: positions.length };
  }

  return (): Promise<WindowOutcome> =>
    database
      .withoutTenant(inTransaction, { deadlineAt: Date.now() + windowWithinMs })
      .catch((error: unknown) => ({ claimed: 0, confirmed: 0, error }));
}

interface OutboxRow {
  readonly position: bigint;
  readonly envelope: Envelope;
}

/** What a transaction still holds open is not seen, what another relay has claimed is passed over; both come later. */
function claimRows(tx: Transaction, limit: number): Promise<OutboxRow[]> {
  const sql = `
    select position, envelope from outbox
    order by position
    limit $1
    for update skip locked`;
  return tx.rows(sql, [limit], 'outbox.claim');
}

function deleteRows(tx: Transaction, positions: readonly bigint[]): Promise<number> {
  return tx.run('delete from outbox where position = any($1::bigint[])', [positions], 'outbox.delete');
}

/** Each event's own trace shows when it was published, though many travel together. */
async function traced(
  service: string,
  envelopes: readonly Envelope[],
  publish: (envelopes: readonly Envelope[]) => Promise<ReadonlySet<string>>,
): Promise<ReadonlySet<string>> {
  const publishing = publish(envelopes);
  const spans = envelopes.flatMap(({ traceparent, type }) => {
    if (traceparent === undefined) return [];
    return inSpan(service, `publish ${type}`, { kind: SpanKind.PRODUCER, traceparent }, () => publishing);
  });
  await Promise.all(spans);
  return publishing;
}

function outboxGauges({ database, metrics }: RelayOptions): () => Promise<void> {
  const unpublished = metrics.gauge('outbox_unpublished', 'Events that wait to be published', []);
  const oldest = metrics.gauge('outbox_oldest_age_seconds', 'Age of the oldest event that waits', []);
  const sql = `
    select count(*)::int as waiting,
           coalesce(extract(epoch from clock_timestamp() - min(added_at)), 0)::float8 as age
    from outbox`;
  return async () => {
    const found = await database.withoutTenant((tx) => tx.first<{ waiting: number; age: number }>(sql), {
      deadlineAt: Date.now() + windowWithinMs,
    });
    unpublished.set(found?.waiting ?? 0);
    oldest.set(found?.age ?? 0);
  };
}
