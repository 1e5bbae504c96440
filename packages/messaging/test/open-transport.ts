import { createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';
import { postgresTransport, rabbitmqTransport, type Transport } from '../src/index.ts';
import { silent } from './probe.ts';

/** What each retry waits in these tests. */
export const retryDelaysMs = [50, 100, 200, 400];

/** Where the queues are; plain data, so that another process can be told. */
export type QueuesAt =
  | { readonly kind: 'postgres'; readonly server: ServerAddress }
  | { readonly kind: 'rabbitmq'; readonly url: string };

export function openTransport(at: QueuesAt): Transport {
  if (at.kind === 'rabbitmq') return rabbitmqTransport({ url: at.url, log: silent, retryDelaysMs });
  const database = openDatabase({
    server: at.server,
    schema: 'messaging',
    role: 'app',
    password: passwordOf('messaging_app', 'testing'),
    metrics: createMetrics('messaging'),
    log: silent,
  });
  return postgresTransport({ database, log: silent, retryDelaysMs, pollMs: 50, leaseMs: 1_500 });
}
