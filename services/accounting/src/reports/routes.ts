import { Day, Id } from '@marimo/contracts';
import { reports } from '@marimo/contracts/accounting';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { z } from 'zod';
import { listIdsAtOrBelow } from '../accounts/index.ts';
import type { Books } from '../journals/index.ts';
import { sumOf, trialBalanceOf, withBalances } from './reports.ts';
import {
  getBalanceBefore,
  getBalanceUntil,
  listStatementRows,
  listTrialBalanceRows,
  movedUpTo,
  type StatementRow,
} from './store.ts';

const byPlace = {
  parts: [Day, z.string().regex(/^\d{1,18}$/), Id, z.int()],
  keyOf: ({ postingDate, sequence, entryId, lineNumber }: StatementRow) =>
    [postingDate, String(sequence), entryId, lineNumber] as const,
} as const;

export function reportRoutes(_: Deps, { books }: { readonly books: Books }): Route[] {
  return [
    handle(reports.getTrialBalance, async (call) => {
      const { baseCurrency } = await books.of(call);
      const { asOf, from } = call.query;
      const rows = await call.readInTenant((tx) => listTrialBalanceRows(tx, asOf, from));
      return reply(200, trialBalanceOf(rows, { asOf, from, baseCurrency }));
    }),

    handle(reports.getAccountStatement, async (call) => {
      const { baseCurrency } = await books.of(call);
      const { accountCode, from, to } = call.query;
      const money = (minor: bigint) => sumOf(minor, baseCurrency);
      return call.readInTenant(async (tx) => {
        const accountIds = await listIdsAtOrBelow(tx, accountCode);
        requireFound(accountIds[0], 'account');
        const opening = await getBalanceBefore(tx, accountIds, from);
        const closing = await getBalanceUntil(tx, accountIds, to);
        let reached = opening;
        const { items, next } = await readPage(call.query, byPlace, async ({ after, limit }) => {
          if (after !== undefined)
            reached =
              (await getBalanceBefore(tx, accountIds, after[0])) + (await movedUpTo(tx, accountIds, after));
          return listStatementRows(tx, { accountIds, from, to, after, limit });
        });
        return reply(200, {
          accountCode,
          from,
          to,
          opening: money(opening),
          closing: money(closing),
          items: withBalances(items, reached, baseCurrency),
          next,
        });
      });
    }),
  ];
}
