// A process of the shop, to be killed: it starts sales and runs their sagas. Prints a line for each that it has acknowledged.
import { BadUpstream } from '@marimo/contracts';
import { runInContext } from '@marimo/observability';
import type { Problem } from '@marimo/problems';
import { RefusedByService } from '@marimo/resilience';
import { type Installation, runShop, type SentCommand } from './installation.ts';
import { sale } from './sale.ts';

export interface CrashOrder extends Installation {
  readonly tenantId: string;
  readonly userId: string;
  readonly sagaIds: readonly string[];
  /** Who does the commands. */
  readonly commandsUrl: string;
}

const order = JSON.parse(process.env['CRASH_ORDER'] ?? '') as CrashOrder;
const { tenantId, userId } = order;

const shop = await runShop(order, {
  async call({ path }, input) {
    const sent: SentCommand = { path, input: { ...input, signal: undefined } };
    const answer = await fetch(order.commandsUrl, { method: 'POST', body: JSON.stringify(sent) });
    const body = (await answer.json()) as Problem;
    if (answer.status === 201) return { status: 201, body } as never;
    if (answer.status === 422) throw new RefusedByService('main', 'refused', body);
    throw new BadUpstream({ service: 'main' });
  },
});
for (const sagaId of order.sagaIds) {
  await runInContext({ requestId: 'a-request', tenantId, actorId: userId }, () =>
    shop.database.inTenant(tenantId, (tx) =>
      shop.sagas.start(tx, sale, { sagaId, input: { saleId: sagaId } }),
    ),
  );
  process.stdout.write(`${sagaId}\n`);
}
