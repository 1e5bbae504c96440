import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { createWake, type Wake } from '@marimo/messaging';
import { createMetrics, runInContext } from '@marimo/observability';
import { until } from '@marimo/testing/outside';
import { createSagas, type SagaDefinition, type SagaRunner, startSagaRunner } from '../src/index.ts';
import { type Commanded, commanded } from './commanded.ts';
import { post, reserve, rules, sale } from './sale.ts';
import { outbox, silent, tenantId, userId, useStage } from './stage.ts';

const stage = useStage();
const definitions = [sale as unknown as SagaDefinition];
let others: Commanded;
let runners: SagaRunner[];
beforeEach(() => {
  others = commanded();
  runners = [];
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(runners.map((runner) => runner.close()));
});

/** As a process of its own would have it. */
function startRunner(
  options: { wake?: Wake; pollMs?: number; leaseMs?: number; client?: Commanded } = {},
): SagaRunner {
  const { client = others, wake = createWake(), pollMs = 20, leaseMs } = options;
  const runner = startSagaRunner({
    service: 'shop',
    definitions,
    deps: undefined,
    database: stage.db.open('shop', 'app'),
    relayDatabase: stage.db.open('shop', 'relay'),
    outbox,
    client,
    log: silent,
    metrics: createMetrics('shop'),
    wake,
    pollMs,
    ...(leaseMs !== undefined && { leaseMs }),
  });
  runners.push(runner);
  return runner;
}

async function startSagas(count: number, onDue = () => {}): Promise<string[]> {
  const sagas = createSagas({ service: 'shop', definitions, outbox, onDue });
  const ids = Array.from({ length: count }, newId);
  await runInContext({ requestId: 'a-request', tenantId, actorId: userId }, () =>
    stage.db.database.inTenant(tenantId, async (tx) => {
      for (const sagaId of ids) await sagas.start(tx, sale, { sagaId, input: { saleId: sagaId } });
    }),
  );
  return ids;
}

const allDone = (ids: readonly string[]) =>
  until(async () => {
    const sql = `select count(*)::int as done from saga where state = 'done' and saga_id = any($1)`;
    const [row] = await stage.db.sql<{ done: number }>(sql, [ids]);
    return row?.done === ids.length;
  }, 25_000);

/** Four effects for each, and none of them twice. */
function expectOnceEach(ids: readonly string[]): void {
  const effects = others.effects.map(({ path, body }) => `${path} ${body.saleId}`);
  expect(effects).toHaveLength(3 * ids.length);
  expect(new Set(effects).size).toBe(effects.length);
}

it('begins at once what this process starts', async () => {
  const wake = createWake();
  startRunner({ wake, pollMs: 3_600_000 });
  await allDone(await startSagas(2, wake.ring));
});

it('finds what another process has started', async () => {
  startRunner();
  await allDone(await startSagas(2));
});

it('shares the work between instances, and each effect happens once', async () => {
  startRunner();
  startRunner();
  const ids = await startSagas(60);
  await allDone(ids);
  expectOnceEach(ids);
  const notes = await stage.db.sql('select from note where saga_id = any($1)', [ids]);
  expect(notes).toHaveLength(ids.length);
});

it('keeps what it holds for longer than its lease, while its work goes on', async () => {
  const asleep = Promise.withResolvers<void>();
  others.during = (path) => (path === post.path ? asleep.promise : undefined);
  startRunner({ leaseMs: 300 });
  const [sagaId = ''] = await startSagas(1);
  const row = async () =>
    (
      await stage.db.sql<{ holding: number; due_at: Date }>(
        'select holding, due_at from saga where saga_id = $1',
        [sagaId],
      )
    )[0];
  await until(async () => (await stage.stepsOf(sagaId))['note'] === 'done');
  startRunner({ leaseMs: 300 });
  const first = await row();
  await until(async () => Number((await row())?.due_at) - Number(first?.due_at) > 900); // three leases later
  expect((await row())?.holding).toBe(1);
  asleep.resolve();
  await allDone([sagaId]);
});

it('keeps what it holds while work of its own takes longer than a lease, in a transaction', async () => {
  const asleep = Promise.withResolvers<void>();
  const [noting = '', posting = ''] = await startSagas(2);
  rules.duringNote = (sagaId) => (sagaId === noting ? asleep.promise : Promise.resolve());
  others.during = (path) => (path === post.path ? asleep.promise : undefined);
  startRunner({ leaseMs: 300 });
  startRunner({ leaseMs: 300 });
  const sql = 'select saga_id, holding, due_at from saga where saga_id = any($1) order by saga_id';
  const rows = () =>
    stage.db.sql<{ saga_id: string; holding: number; due_at: Date }>(sql, [[noting, posting]]);
  const dueOf = async (id: string) => Number((await rows()).find(({ saga_id }) => saga_id === id)?.due_at);
  await until(async () => (await stage.stepsOf(posting))['note'] === 'done');
  const first = await dueOf(posting);
  await until(async () => (await dueOf(posting)) - first > 900); // three leases later
  expect((await rows()).map(({ holding }) => holding)).toEqual([1, 1]);
  rules.duringNote = async () => {};
  asleep.resolve();
  await allDone([noting, posting]);
  expectOnceEach([noting, posting]);
});

it('does everything once while the clocks of the processes jump by hours', async () => {
  const real = Date.now;
  const steps = [0, 3_600_000, -3_600_000, 86_400_000];
  let asked = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => {
    asked += 1;
    return real() + (steps[Math.floor(asked / 50) % steps.length] ?? 0);
  });
  startRunner({ leaseMs: 500 });
  startRunner({ leaseMs: 500 });
  const ids = await startSagas(30);
  while (others.effects.length < 3 * ids.length) await pause(20); // "until" would believe the clock
  jest.restoreAllMocks();
  await allDone(ids);
  expectOnceEach(ids);
});

it('finishes its step when it is closed, and another goes on from there at once', async () => {
  const asleep = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  others.during = (path) => {
    if (path !== reserve.path) return;
    reached.resolve();
    return asleep.promise;
  };
  const runner = startRunner();
  const [sagaId = ''] = await startSagas(1);
  await reached.promise;
  const closed = runner.close();
  asleep.resolve();
  await closed;
  expect(await stage.stepsOf(sagaId)).toMatchObject({ reserve: 'done', note: 'waiting' });
  startRunner(); // the lease of the first would last ten seconds
  await allDone([sagaId]);
  const [row] = await stage.db.sql<{ holding: number }>('select holding from saga where saga_id = $1', [
    sagaId,
  ]);
  expect(row?.holding).toBe(2);
  expectOnceEach([sagaId]);
});
