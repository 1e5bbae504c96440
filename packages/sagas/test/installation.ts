import { sagaEvents } from '@marimo/contracts';
import {
  consumer,
  createOutbox,
  createWake,
  postgresTransport,
  rabbitmqTransport,
  startConsumers,
  startRelay,
  type Transport,
} from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';
import type { SagaCommand, SagaDefinition, SagaRunnerOptions } from '../src/index.ts';
import { createSagas, startSagaRunner } from '../src/index.ts';
import { sale } from './sale.ts';

const log = createLog({ service: 'shop', level: 'silent' });
const definitions = [sale as unknown as SagaDefinition];

/** Plain data, so that another process can be told. */
export interface Installation {
  readonly server: ServerAddress;
  /** Undefined where the queues are tables. */
  readonly rabbitmqUrl: string | undefined;
}

export function openAs({ server }: Installation, schema: string, role: 'app' | 'relay') {
  const password = passwordOf(`${schema}_${role}`, 'testing');
  return openDatabase({ server, schema, role, password, metrics: createMetrics(schema), log });
}

export function openTransport(at: Installation): Transport {
  if (at.rabbitmqUrl !== undefined) return rabbitmqTransport({ url: at.rabbitmqUrl, log });
  return postgresTransport({ database: openAs(at, 'messaging', 'app'), log, pollMs: 50, leaseMs: 1_500 });
}

/** The shop as a process runs it: sagas, relay, and a consumer that writes down which events it hears. */
export async function runShop(at: Installation, client: SagaRunnerOptions['client']) {
  const metrics = createMetrics('shop');
  const [database, relayDatabase] = [openAs(at, 'shop', 'app'), openAs(at, 'shop', 'relay')];
  const transport = openTransport(at);
  const [wake, relayWake] = [createWake(), createWake()];
  const outbox = createOutbox({ service: 'shop', clock: () => new Date(), onAdded: relayWake.ring });
  const shared = { service: 'shop' as const, database, log, metrics };
  const consumers = await startConsumers({ ...shared, transport, deps: undefined, consumers: [hearing] });
  const relay = startRelay({ database: relayDatabase, transport, log, metrics, wake: relayWake, pollMs: 50 });
  const runner = startSagaRunner({
    ...shared,
    definitions,
    deps: undefined,
    relayDatabase,
    outbox,
    client,
    wake,
    pollMs: 50,
    callWithinMs: 500,
  });
  return {
    database,
    sagas: createSagas({ service: 'shop', definitions, outbox, onDue: wake.ring }),
    async close() {
      await runner.close();
      await relay.close();
      await consumers.close();
      await transport.close();
      await Promise.all([database.close(), relayDatabase.close()]);
    },
  };
}

const { started, done, undone } = sagaEvents('shop');
const hearing = consumer({
  name: 'hearing',
  queue: 'hearing_queue',
  events: [started, done, undone],
  async handle(tx, { type, data }) {
    const sql = 'insert into told (tenant_id, saga_id, type) values ($1, $2, $3)';
    await tx.run(sql, [tx.tenantId, data.sagaId, type]);
  },
});

/** What a command is for those who do it in another process. */
export interface SentCommand {
  readonly path: SagaCommand['path'];
  readonly input: object;
}
