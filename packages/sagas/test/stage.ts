import { newId } from '@marimo/contracts';
import { createOutbox, outboxMigrations } from '@marimo/messaging';
import { createLog, runInContext } from '@marimo/observability';
import { type TestDatabase, useDatabase } from '@marimo/testing/database';
import { claimDue } from '../src/claim-store.ts';
import { createSagas, type SagaDefinition, type Sagas, sagaMigrations } from '../src/index.ts';
import { runHeld, type SagaWork } from '../src/run-held.ts';
import { type Commanded, commanded } from './commanded.ts';
import { sale } from './sale.ts';

export const tenantId = newId();
export const userId = newId();
export const silent = createLog({ service: 'shop', level: 'silent' });
const own = new URL('./migrations/', import.meta.url);

export const folders = [outboxMigrations, sagaMigrations, own];

/** The shop's database, where sagas are taken up by hand: a run is the same each time, and time passes when told. */
export interface Stage {
  readonly db: TestDatabase;
  readonly sagas: Sagas;
  /** Another world for each test. */
  others: Commanded;
  definitions: SagaDefinition[];
  visit: SagaWork['visit'];
  start(sagaId?: string, saleId?: string): Promise<string>;
  /** As an instance that has just started: takes up what is due, and runs it until it rests or the process dies. */
  runDue(): Promise<void>;
  /** Until all leases, pauses and doubts are over. */
  passTime(): Promise<void>;
  stateOf(sagaId: string): Promise<string>;
  stepsOf(sagaId: string): Promise<Record<string, string>>;
}

export const outbox = createOutbox({ service: 'shop', clock: () => new Date(), onAdded: () => {} });

export function useStage(): Stage {
  const db = useDatabase({ schema: 'shop', folders });
  const sagas = () =>
    createSagas({ service: 'shop', definitions: stage.definitions, outbox, onDue: () => {} });
  const stage: Stage = {
    db,
    get sagas() {
      return sagas();
    },
    others: commanded(),
    definitions: [sale as unknown as SagaDefinition],
    visit: () => {},
    async start(sagaId = newId(), saleId = sagaId) {
      const work = { requestId: 'a-request', tenantId, actorId: userId };
      await runInContext(work, () =>
        db.database.inTenant(tenantId, (tx) => sagas().start(tx, sale, { sagaId, input: { saleId } })),
      );
      return sagaId;
    },
    async runDue() {
      const held = await db.relay.withoutTenant((tx) => claimDue(tx, 10, 10_000));
      for (const each of held) {
        stage.visit('saga.afterClaim');
        await runHeld(workOf(stage), each, new AbortController().signal);
      }
    },
    async passTime() {
      await db.sql(
        `update saga set due_at = clock_timestamp(), doubtful_until = null where due_at is not null`,
      );
    },
    async stateOf(sagaId) {
      const [row] = await db.sql<{ state: string }>('select state from saga where saga_id = $1', [sagaId]);
      return row?.state ?? 'absent';
    },
    async stepsOf(sagaId) {
      const rows = await db.sql<{ name: string; state: string }>(
        'select name, state from saga_step where saga_id = $1 order by place',
        [sagaId],
      );
      return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
    },
  };
  return stage;
}

function workOf(stage: Stage): SagaWork {
  return {
    service: 'shop',
    definitions: stage.definitions,
    deps: undefined,
    database: stage.db.database,
    outbox,
    client: stage.others,
    log: silent,
    leaseMs: 10_000,
    callWithinMs: 10_000,
    visit: (place) => stage.visit(place),
  };
}
