import { listAuditRecords, verifyAudit } from '@marimo/contracts/workers';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { pageFrom } from '../page.ts';
import { readChain, recordsBefore } from './store.ts';
import { verdictOn } from './verification.ts';

export const auditRoutes = (_: Deps): readonly Route[] => [
  handle(listAuditRecords, async ({ query, readInTenant }) => {
    const { after, limit, ...filter } = query;
    const before = readCursor(after, z.int())?.[0];
    const found = await readInTenant((tx) => recordsBefore(tx, { ...filter, before, limit: limit + 1 }));
    return reply(
      200,
      pageFrom(found, limit, ({ sequence }) => cursorOf(sequence)),
    );
  }),

  handle(verifyAudit, async ({ readInTenant }) => reply(200, verdictOn(await readInTenant(readChain)))),
];
