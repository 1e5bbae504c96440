import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '@marimo/contracts';
import {
  inSpan,
  type Log,
  type Metrics,
  runInContext,
  runPeriodically,
  SpanKind,
} from '@marimo/observability';
import { type Database, DatabaseUnavailable, StatementCancelled } from '@marimo/postgres';
import type { Consumer } from './consumer.ts';
import { failpoint } from './failpoint.ts';
import { recordInInbox } from './inbox.ts';
import { UnfitEvent } from './retry.ts';
import { TenantGroups } from './tenant-groups.ts';
import type { Delivery, Subscription, Transport } from './transport.ts';

export interface ConsumersOptions<Deps> {
  readonly service: string;
  readonly database: Database;
  readonly transport: Transport;
  readonly consumers: readonly Consumer<Deps>[];
  readonly deps: Deps;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long the transaction of one delivery may take; default 60,000. */
  readonly handleWithinMs?: number;
}

const measureEveryMs = 15_000;
const databaseAwayMs = 1_000;

/**
 * Declares the queues of a service and handles what arrives in them: inbox row and effect in one transaction of the
 * event's tenant, which several of its events may share, then the acknowledgement.
 */
export async function startConsumers<Deps>(options: ConsumersOptions<Deps>): Promise<Subscription> {
  const { transport, consumers, log, metrics } = options;
  const queues = consumers.map(({ queue }) => queue);
  if (new Set(queues).size < queues.length) throw new Error('Each consumer needs a queue of its own');
  await transport.declare(consumers.map(({ queue, bindings }) => ({ name: queue, bindings })));

  const closing = new AbortController();
  const subscriptions = await Promise.all(
    consumers.map((consumer) =>
      transport.consume(
        consumer.queue,
        { concurrency: consumer.concurrency * consumer.together },
        handlerOf(options, consumer, closing.signal),
      ),
    ),
  );

  const deadLetters = metrics.gauge('dlq_depth', 'Dead letters that wait for somebody to look', ['queue']);
  const stopMeasuring = runPeriodically(
    { name: 'counting dead letters', pauseMs: measureEveryMs, log },
    async () => {
      for (const queue of queues) deadLetters.set({ queue }, (await transport.depth(queue)).dead);
    },
  );
  return {
    async close() {
      closing.abort();
      await Promise.all([stopMeasuring(), ...subscriptions.map((subscription) => subscription.close())]);
    },
  };
}

type Outcome = 'handled' | 'duplicate' | 'unfit' | 'failed';

function handlerOf<Deps>(
  options: ConsumersOptions<Deps>,
  consumer: Consumer<Deps>,
  closing: AbortSignal,
): (delivery: Delivery) => Promise<void> {
  const { service, log } = options;
  const observe = consumerMetrics(options.metrics, consumer.name);
  const groups = new TenantGroups<Outcome>({
    groupsAtOnce: consumer.concurrency,
    eventsInGroup: consumer.together,
    handle: (group) => handleTogether(options, consumer, group),
    concernsAll: (error) => error instanceof DatabaseUnavailable || error instanceof StatementCancelled,
  });
  const handle = async (envelope: Envelope) => {
    if (consumer.together > 1) return groups.handle(envelope);
    const [outcome] = await handleTogether(options, consumer, [envelope]);
    return outcome as Outcome;
  };

  return ({ envelope, attempt }) => {
    const { id, type, tenantid: tenantId, actorid: actorId, requestid, traceparent } = envelope;
    const work = { requestId: requestid ?? id, tenantId, ...(actorId !== undefined && { actorId }) };
    const span = {
      kind: SpanKind.CONSUMER,
      attributes: { 'messaging.message.id': id, 'messaging.destination.name': consumer.queue, attempt },
      traceparent,
    };
    const handled = () => observe({ envelope, attempt }, () => handle(envelope));
    return runInContext(work, () =>
      inSpan(service, `${consumer.name} ${type}`, span, async () => {
        try {
          await onceDatabaseAnswers(options.database, handled, closing);
          failpoint('consumer.afterCommit');
        } catch (error) {
          log.warn('a consumer failed', { consumer: consumer.name, event: id, type, attempt, error });
          throw error;
        }
      }),
    );
  };
}

/** Inbox and effects of events of one tenant, in one transaction. */
async function handleTogether<Deps>(
  { database, deps, handleWithinMs = 60_000 }: ConsumersOptions<Deps>,
  consumer: Consumer<Deps>,
  envelopes: readonly Envelope[],
): Promise<readonly Outcome[]> {
  return database.inTenant(
    (envelopes[0] as Envelope).tenantid,
    async (tx) => {
      const ids = envelopes.map(({ id }) => id);
      const fresh = await recordInInbox(tx, consumer.name, ids);
      failpoint('consumer.afterInbox');
      // One that was delivered twice may stand twice in a group.
      const isFirst = envelopes.map(({ id }) => fresh.delete(id.toLowerCase()));
      const toHandle = envelopes.filter((_, place) => isFirst[place]);
      if (toHandle.length > 0) await consumer.handle(tx, toHandle, deps);
      failpoint('consumer.afterEffect');
      return isFirst.map((first) => (first ? 'handled' : 'duplicate'));
    },
    { deadlineAt: Date.now() + handleWithinMs },
  );
}

/**
 * An outage of the database is no fault of the event: it must not use up the attempts and fill the dead letters with
 * everything that came by. So the delivery stays in hand until the database is back.
 */
async function onceDatabaseAnswers(
  database: Database,
  work: () => Promise<void>,
  closing: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (closing.aborted || !(await isAway(database, error))) throw error;
      await sleep(databaseAwayMs, undefined, { signal: closing }).catch(() => {});
    }
  }
}

/** Time may be over because the handler is slow or because the network lets nothing through. */
async function isAway(database: Database, error: unknown): Promise<boolean> {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof StatementCancelled)) return false;
  return database.ping().then(
    () => false,
    () => true,
  );
}

function consumerMetrics(metrics: Metrics, consumer: string) {
  const duration = metrics.histogram(
    'consumer_handle_duration_seconds',
    'Time a consumer took for one delivery',
    ['consumer', 'outcome'],
  );
  const lag = metrics.histogram(
    'consumer_lag_seconds',
    'Age of an event at its first delivery',
    ['consumer'],
    [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600],
  );
  const duplicates = metrics.counter(
    'inbox_duplicates_total',
    'Deliveries without effect, because it had happened',
    ['consumer'],
  );

  return async ({ envelope, attempt }: Delivery, work: () => Promise<Outcome>): Promise<void> => {
    if (attempt === 1) lag.observe({ consumer }, Math.max(0, Date.now() - Date.parse(envelope.time)) / 1_000);
    const endTimer = duration.startTimer({ consumer });
    try {
      const outcome = await work();
      if (outcome === 'duplicate') duplicates.inc({ consumer });
      endTimer({ outcome });
    } catch (error) {
      endTimer({ outcome: error instanceof UnfitEvent ? 'unfit' : 'failed' });
      throw error;
    }
  };
}
