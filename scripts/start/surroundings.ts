import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@marimo/observability';
import { startEmbeddedServer } from '@marimo/postgres';
import {
  type PrivateConsul,
  type PrivateProcess,
  startConsul,
  startRabbitmq,
  startRedis,
} from '@marimo/testing';

/** Servers the platform finds by its environment, as on a cluster. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface RealSurroundings extends Surroundings {
  /** To be killed and started again. */
  readonly redis: PrivateProcess;
  readonly consul: PrivateConsul;
}

/** A PostgreSQL, a RabbitMQ, a Redis with a password and a Consul of this test alone. */
export async function realSurroundings(): Promise<RealSurroundings> {
  const started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'marimo-real-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const log = createLog({ service: 'surroundings', level: 'silent' });
  const { server, stop } = await startEmbeddedServer({ directory: join(directory, 'postgres'), log });
  started.defer(stop);
  const rabbitmq = await startRabbitmq();
  started.defer(() => rabbitmq.stop());
  const redis = await startRedis({ password: 'a-password-of-this-test-alone-01' });
  started.defer(() => redis.stop());
  const consul = await startConsul();
  started.defer(() => consul.stop());
  return {
    redis,
    consul,
    env: {
      DB_HOST: server.host,
      DB_PORT: String(server.port),
      DB_USER: server.user,
      DB_PASSWORD: server.password,
      DB_NAME: server.database,
      RABBITMQ_URL: rabbitmq.url,
      REDIS_ADDR: redis.address,
      REDIS_PASSWORD: 'a-password-of-this-test-alone-01',
      CONSUL_ADDR: consul.address,
    },
    stop: () => started.disposeAsync(),
  };
}
