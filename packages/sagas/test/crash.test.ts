import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { newId } from '@marimo/contracts';
import { queueMigrations } from '@marimo/messaging';
import { RefusedByService } from '@marimo/resilience';
import { useDatabase } from '@marimo/testing/database';
import {
  type PrivateRabbitmq,
  requireInfra,
  runUntilKilled,
  startRabbitmq,
  until,
} from '@marimo/testing/outside';
import type { SagaPlace } from '../src/run-held.ts';
import { commanded } from './commanded.ts';
import type { CrashOrder } from './crash-process.ts';
import { type Installation, runShop, type SentCommand } from './installation.ts';
import { cancel, post, reserve, ship } from './sale.ts';
import { folders, tenantId, userId } from './stage.ts';

const program = new URL('./crash-process.ts', import.meta.url);
const db = useDatabase({
  schema: 'shop',
  folders,
  beside: [{ schema: 'messaging', folders: [queueMigrations] }],
});

/** Each place, and at which visit of it. */
const places: readonly (readonly [SagaPlace, number])[] = [
  ['saga.afterStart', 5],
  ['saga.afterClaim', 4],
  ['saga.beforeCommand', 9],
  ['saga.afterCommand', 11],
  ['saga.beforeCommit', 13],
  ['saga.afterCommit', 15],
];

let others = commanded();
let server: Server;
let shop: Awaited<ReturnType<typeof runShop>> | undefined;
afterEach(async () => {
  await shop?.close();
  shop = undefined;
});
beforeAll(async () => {
  server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => db.sql('truncate saga, saga_step, note, told, outbox, inbox'));

describe('a process that is killed while the queues are tables', () => {
  it.each(places)('at %s (%i) leaves nothing half done and does nothing twice', (place, visit) =>
    killAndResume({ server: db.server, rabbitmqUrl: undefined }, `${place}:${visit}`),
  );
});

requireInfra('rabbitmq-server')('a process that is killed while the queues are those of RabbitMQ', () => {
  let broker: PrivateRabbitmq;
  beforeAll(async () => {
    broker = await startRabbitmq();
  }, 90_000);
  afterAll(() => broker?.stop());

  it.each(places)('at %s (%i) leaves nothing half done and does nothing twice', (place, visit) =>
    killAndResume({ server: db.server, rabbitmqUrl: broker.url }, `${place}:${visit}`),
  );
});

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { path, input } = JSON.parse(await text(req)) as SentCommand;
  try {
    const reply = await others.call({ path } as never, input as never);
    const { status, body } = reply as { status: number; body: object };
    res.writeHead(status).end(JSON.stringify(body));
  } catch (error) {
    const { code, title } = (error as RefusedByService).definition;
    res.writeHead(error instanceof RefusedByService ? 422 : 502);
    res.end(JSON.stringify({ type: `urn:marimo:problem:${code}`, title, status: 422, code }));
  }
}

async function killAndResume(at: Installation, failpoint: string): Promise<void> {
  others = commanded();
  const sagaIds = Array.from({ length: 9 }, newId);
  // A third of them turns back.
  for (const [place, sagaId] of sagaIds.entries())
    if (place % 3 === 1) others.refused.add(`${post.path} ${sagaId}`);
  const commandsUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const order: CrashOrder = { ...at, tenantId, userId, sagaIds, commandsUrl };
  const acknowledged = await runUntilKilled({ program, order, failpoint });
  await db.untilIdle();
  await db.sql('update saga set due_at = clock_timestamp() where due_at is not null'); // as the leases would run out

  shop = await runShop(at, others);
  const standing = () =>
    db.sql<{ saga_id: string; state: string }>('select saga_id, state from saga order by saga_id');
  await until(
    async () => (await standing()).every(({ state }) => state === 'done' || state === 'undone'),
    45_000,
  );
  const sagas = await standing();
  // Of this test: what a killed process of an earlier one held is delivered again when its lease has run out.
  const toldOfThese = async () =>
    (await db.rows<{ saga_id: string; type: string }>('told')).filter(({ saga_id }) =>
      sagaIds.includes(saga_id),
    );
  await until(async () => (await toldOfThese()).length >= 2 * sagas.length, 45_000);
  await shop.close();
  shop = undefined;

  expect(sagas.map(({ saga_id }) => saga_id)).toEqual(expect.arrayContaining(acknowledged));
  expect(sagas.length).toBeGreaterThan(0);
  const effects = others.effects.map(({ path, body }) => `${body.saleId} ${path}`);
  const notes = await db.rows<{ saga_id: string }>('note');
  const told = await toldOfThese();
  const isRefused = (sagaId: string) => others.refused.has(`${post.path} ${sagaId}`);
  const expected = sagas.map(({ saga_id: id }) => (isRefused(id) ? 'undone' : 'done'));
  expect(sagas.map(({ state }) => state)).toEqual(expected);
  expect(effects.sort()).toEqual(
    sagas
      .flatMap(({ saga_id: id }) => {
        const paths = isRefused(id) ? [reserve, cancel] : [reserve, post, ship];
        return paths.map(({ path }) => `${id} ${path}`);
      })
      .sort(),
  );
  expect(notes.map(({ saga_id }) => saga_id).sort()).toEqual(
    sagas.map(({ saga_id }) => saga_id).filter((id) => !isRefused(id)),
  );
  expect(told.map(({ saga_id, type }) => `${saga_id} ${type}`).sort()).toEqual(
    sagas
      .flatMap(({ saga_id, state }) => [
        `${saga_id} shop.saga-${state}.v1`,
        `${saga_id} shop.saga-started.v1`,
      ])
      .sort(),
  );
}
