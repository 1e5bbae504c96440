import type { NumberSeries, NumberSeriesContract } from '@marimo/contracts';
import { changeNumberSeries, findNumberSeries, listNumberSeriesChanges } from '@marimo/numbering';
import { z } from 'zod';
import { etagOf, requireMatch } from '../http/etag.ts';
import { readPage } from '../http/page.ts';
import { handle, type Route, reply } from '../route.ts';
import type { Deps } from '../service.ts';

const newestFirst = {
  parts: [z.int()],
  keyOf: ({ version }: { version: number }) => [version],
} as const;

/** How organisations see and set the number series of a service. */
export function numberSeriesRoutes(
  contract: NumberSeriesContract,
  { outbox, clock }: Pick<Deps, 'outbox' | 'clock'>,
): Route[] {
  const seriesOf = (name: string) => contract.series.find((each) => each.name === name) as NumberSeries;
  const today = () => clock().toISOString().slice(0, 10);
  return [
    handle(contract.list, async ({ query: { date = today() }, readInTenant }) => {
      const items = await readInTenant(async (tx) => {
        const found = [];
        for (const series of contract.series) found.push(await findNumberSeries(tx, series, date));
        return found;
      });
      return reply(200, { items });
    }),
    handle(contract.change, (call) =>
      call.inTenant(async (tx) => {
        const series = seriesOf(call.params.series);
        const change = await changeNumberSeries(tx, series, {
          ...call.body,
          by: call.caller.userId,
          at: clock(),
          requireVersion: (version) => requireMatch(call, version),
        });
        if (change !== undefined) await outbox.add(tx, contract.changed, series.name, change);
        const state = await findNumberSeries(tx, series, call.body.next?.date ?? today());
        return reply(200, state, { etag: etagOf(state.version) });
      }),
    ),
    handle(contract.history, async (call) =>
      reply(
        200,
        await readPage(call.query, newestFirst, ({ after, limit }) =>
          call.readInTenant((tx) =>
            listNumberSeriesChanges(tx, call.params.series, { below: after?.[0], limit }),
          ),
        ),
      ),
    ),
  ];
}
