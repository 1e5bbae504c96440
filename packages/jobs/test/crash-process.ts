// A process that asks for jobs, tells which of them it was acknowledged, and runs them until it is killed.
import { createLog, createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';

import type { JobKind } from '../src/index.ts';
import { anna, makeParts, workshop } from './workshop.ts';

export interface CrashOrder {
  readonly server: ServerAddress;
  readonly tenantId: string;
}

const { server, tenantId }: CrashOrder = JSON.parse(process.env['CRASH_ORDER'] ?? '');
const log = createLog({ service: 'factory', level: 'silent' });
const [database, relay] = (['app', 'relay'] as const).map((role) =>
  openDatabase({
    server,
    schema: 'factory',
    role,
    password: passwordOf(`factory_${role}`, 'testing'),
    metrics: createMetrics('factory'),
    log,
  }),
) as [ReturnType<typeof openDatabase>, ReturnType<typeof openDatabase>];

const shop = workshop({ database, relay }, [makeParts] as unknown as readonly JobKind<undefined>[]);
shop.run();
for (let n = 0; n < 20; n += 1) {
  const jobId = await database.inTenant(tenantId, (tx) =>
    shop.jobs.enqueue(tx, makeParts, { input: { steps: 3 } }, anna),
  );
  process.stdout.write(`${jobId}\n`);
}
