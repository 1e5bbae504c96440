// A process of the probe, to be killed: it states facts, relays their events and handles them, all it can at once.
// Prints a line for each fact that it has acknowledged.
import { newId } from '@marimo/contracts';
import { createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';
import { UnfitEvent } from '../src/index.ts';
import { openTransport, type QueuesAt } from './open-transport.ts';
import { effectWriter, factEvent, silent, startService } from './probe.ts';

export interface CrashOrder {
  readonly server: ServerAddress;
  readonly queuesAt: QueuesAt;
  readonly name: string;
  /** What the consumer does with every second fact. */
  readonly everySecond: 'handle' | 'fail once' | 'park, then replay';
}

const order = JSON.parse(process.env['CRASH_ORDER'] ?? '') as CrashOrder;
const open = (role: 'app' | 'relay') =>
  openDatabase({
    server: order.server,
    schema: 'probe',
    role,
    password: passwordOf(`probe_${role}`, 'testing'),
    metrics: createMetrics('probe'),
    log: silent,
  });

const event = factEvent(order.name);
const transport = openTransport(order.queuesAt);
let met = 0;
const consumer = effectWriter(order.name, event, () => {
  met += 1;
  if (order.everySecond === 'handle' || met % 2 === 1) return;
  throw order.everySecond === 'fail once' ? new Error('not yet') : new UnfitEvent('not yet');
});
const service = await startService({
  database: open('app'),
  relayDatabase: open('relay'),
  transport,
  event,
  consumers: [consumer],
});
for (;;) {
  const factId = newId();
  await service.state([factId]);
  process.stdout.write(`${factId}\n`);
  if (order.everySecond === 'park, then replay') await transport.replay(order.name).catch(() => {});
}
