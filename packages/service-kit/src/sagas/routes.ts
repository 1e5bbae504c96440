import { Id, Instant, type SagaWithSteps, type sagaContract } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import type { Sagas } from '@marimo/sagas';
import { readPage } from '../http/page.ts';
import { requireFound } from '../http/require-found.ts';
import { handle, type Route, reply } from '../route.ts';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ startedAt, sagaId }: { readonly startedAt: Date; readonly sagaId: string }) => [
    startedAt,
    sagaId,
  ],
} as const;

/** How people see the sagas of a service, retry them and give them up. */
export function sagaRoutes(
  { list, get, retry, giveUp }: ReturnType<typeof sagaContract>,
  sagas: Sagas,
): Route[] {
  const found = async (tx: TenantTransaction, sagaId: string): Promise<SagaWithSteps> =>
    requireFound(await sagas.get(tx, sagaId), 'saga');
  return [
    handle(list, async (call) => {
      const { state: states } = call.query;
      const page = await readPage(call.query, newestFirst, (slice) =>
        call.readInTenant((tx) => sagas.list(tx, { states, ...slice })),
      );
      return reply(200, page);
    }),
    handle(get, async (call) => reply(200, await call.readInTenant((tx) => found(tx, call.params.sagaId)))),
    handle(retry, (call) =>
      call.inTenant(async (tx) => {
        const { sagaId } = call.params;
        await sagas.retry(tx, sagaId);
        return reply(200, await found(tx, sagaId));
      }),
    ),
    handle(giveUp, (call) =>
      call.inTenant(async (tx) => {
        const { sagaId } = call.params;
        await sagas.giveUp(tx, sagaId, { userId: call.caller.userId, reason: call.body.reason });
        return reply(200, await found(tx, sagaId));
      }),
    ),
  ];
}
