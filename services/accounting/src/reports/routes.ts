import { Absent, Day, Id } from '@marimo/contracts';
import { reports } from '@marimo/contracts/accounting';
import { Money } from '@marimo/measures';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { listIdsAtOrBelow } from '../accounts/index.ts';
import type { Books } from '../journals/index.ts';
import { trialBalanceOf, withBalances } from './reports.ts';
import { balanceBefore, balanceUntil, movedUpTo, statementRows, trialBalanceRows } from './store.ts';

export function reportRoutes(_: Deps, { books }: { readonly books: Books }): Route[] {
  return [
    handle(reports.getTrialBalance, async (call) => {
      const { baseCurrency } = await books.of(call);
      const { asOf, from } = call.query;
      const rows = await call.readInTenant((tx) => trialBalanceRows(tx, asOf, from));
      return reply(200, trialBalanceOf(rows, { asOf, from, baseCurrency }));
    }),

    handle(reports.getAccountStatement, async (call) => {
      const { baseCurrency } = await books.of(call);
      const { accountCode, from, to, limit, after } = call.query;
      const place = readCursor(after, Day, z.string().regex(/^\d{1,18}$/), Id, z.int());
      const money = (minor: bigint) => Money.ofMinor(minor, baseCurrency);
      return call.readInTenant(async (tx) => {
        const accountIds = await listIdsAtOrBelow(tx, accountCode);
        if (accountIds.length === 0) throw new Absent({ resource: 'account' });
        const opening = await balanceBefore(tx, accountIds, from);
        const closing = await balanceUntil(tx, accountIds, to);
        const reached =
          place === undefined
            ? opening
            : (await balanceBefore(tx, accountIds, place[0])) + (await movedUpTo(tx, accountIds, place));
        const found = await statementRows(tx, { accountIds, from, to, after: place, limit: limit + 1 });
        const page = found.slice(0, limit);
        const last = found.length > limit ? page.at(-1) : undefined;
        return reply(200, {
          accountCode,
          from,
          to,
          opening: money(opening),
          closing: money(closing),
          items: withBalances(page, reached, baseCurrency),
          next: last
            ? cursorOf(last.postingDate, String(last.sequence), last.entryId, last.lineNumber)
            : null,
        });
      });
    }),
  ];
}
