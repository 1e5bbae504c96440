// A process that files acts from many sides, changes its mind about every third, tells which of them it was acknowledged,
// and goes on until it is killed.
import { setTimeout as wait } from 'node:timers/promises';
import { createOutbox } from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';
import { acts, file, numberSeries } from './paper-service.ts';

export interface CrashOrder {
  readonly server: ServerAddress;
  readonly tenantId: string;
}

const { server, tenantId }: CrashOrder = JSON.parse(process.env['CRASH_ORDER'] ?? '');
const database = openDatabase({
  server,
  schema: 'config',
  role: 'app',
  password: passwordOf('config_app', 'testing'),
  metrics: createMetrics('config'),
  log: createLog({ service: 'config', level: 'silent' }),
});
const outbox = createOutbox({ service: 'config', clock: () => new Date(), onAdded: () => {} });
const told = { series: 'act', version: 1, at: new Date(), by: tenantId, pattern: 'A-{0}', next: null };

async function writer(place: number): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    const filing = database.inTenant(tenantId, async (tx) => {
      const number = await file(tx, acts, '2026-03-01');
      await outbox.add(tx, numberSeries.changed, 'act', told); // killed here, with the number taken
      if ((place + turn) % 3 === 0) throw new Error('changed its mind');
      return number;
    });
    const number = await filing.catch(() => undefined);
    if (number !== undefined) process.stdout.write(`${number}\n`);
    await wait(place % 3);
  }
}
await Promise.all(Array.from({ length: 8 }, (_, place) => writer(place)));
