import { type TestDatabase, testDatabase } from '@marimo/testing/database';
import {
  type FaultProxy,
  faultProxy,
  type PrivateRabbitmq,
  requireInfra,
  startRabbitmq,
} from '@marimo/testing/outside';
import { outboxMigrations, queueMigrations, type Transport } from '../src/index.ts';
import { openTransport, type QueuesAt } from './open-transport.ts';
import { probeMigrations } from './probe.ts';

export type TransportKind = 'postgres' | 'rabbitmq';
export const transportKinds: readonly TransportKind[] = ['postgres', 'rabbitmq'];

/** An installation of the probe: its database, and queues behind a network that fails on command. */
export interface Stage {
  readonly database: TestDatabase;
  readonly proxy: FaultProxy;
  /** Undefined when the queues are tables. */
  readonly broker: PrivateRabbitmq | undefined;
  readonly queuesAt: QueuesAt;
  /** Connected, as a process of its own would have it; closed at the end of the test. */
  openTransport(): Promise<Transport>;
  /** Closed at the end of the test, before its transports, also when the test fails. */
  closeAfterwards<T extends { close(): Promise<void> }>(opened: T): T;
}

/** The same tests for each transport. */
export function overEachTransport(tests: (stage: Stage, kind: TransportKind) => void): void {
  for (const kind of transportKinds) {
    const suite = kind === 'rabbitmq' ? requireInfra('rabbitmq-server') : describe;
    suite(`over ${kind}`, () => tests(useStage(kind), kind));
  }
}

function useStage(kind: TransportKind): Stage {
  let made: { database: TestDatabase; broker: PrivateRabbitmq | undefined; proxy: FaultProxy } | undefined;
  const opened: { close(): Promise<void> }[] = [];
  const use = () => {
    if (made === undefined) throw new Error('The stage exists only while tests run');
    return made;
  };

  beforeAll(async () => {
    const [database, broker] = await Promise.all([
      testDatabase({
        schema: 'probe',
        folders: [outboxMigrations, probeMigrations],
        beside: [{ schema: 'messaging', folders: [queueMigrations] }],
      }),
      kind === 'rabbitmq' ? startRabbitmq() : undefined,
    ]);
    const target = broker?.address ?? `${database.server.host}:${database.server.port}`;
    made = { database, broker, proxy: await faultProxy({ target }) };
  }, 90_000);
  afterEach(async () => {
    await made?.proxy.set('none');
    for (const last of opened.splice(0).reverse()) await last.close();
  });
  afterAll(async () => {
    await made?.proxy.close();
    await Promise.all([made?.database.drop(), made?.broker?.stop()]);
  }, 30_000);

  const queuesAt = (): QueuesAt => {
    const { proxy, database } = use();
    return kind === 'rabbitmq'
      ? { kind, url: `amqp://guest:guest@${proxy.address}` }
      : { kind, server: { ...database.server, host: '127.0.0.1', port: proxy.port } };
  };
  return {
    get database() {
      return use().database;
    },
    get proxy() {
      return use().proxy;
    },
    get broker() {
      return use().broker;
    },
    get queuesAt() {
      return queuesAt();
    },
    async openTransport() {
      const transport = openTransport(queuesAt());
      opened.push(transport);
      await until('the transport is connected', () => transport.connected);
      return transport;
    },
    closeAfterwards(each) {
      opened.push(each);
      return each;
    },
  };
}

/** Asks again until the answer is yes. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  for (const giveUpAt = Date.now() + withinMs; !(await isSo()); ) {
    if (Date.now() > giveUpAt) throw new Error(`Still not so after ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
