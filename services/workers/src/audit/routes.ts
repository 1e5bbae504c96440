import { audit } from '@marimo/contracts/workers';
import { cursorOf, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { pageFrom } from '../page.ts';
import { readChain, recordsBefore } from './store.ts';
import { verdictOn } from './verification.ts';

export const auditRoutes = (): readonly Route[] => [
  handle(audit.list, async (call) => {
    const { after, limit, ...filter } = call.query;
    const before = readCursor(after, z.int())?.[0];
    const found = await call.readInTenant((tx) => recordsBefore(tx, { ...filter, before, limit: limit + 1 }));
    return reply(
      200,
      pageFrom(found, limit, ({ sequence }) => cursorOf(sequence)),
    );
  }),

  handle(audit.verify, async (call) => reply(200, verdictOn(await call.readInTenant(readChain)))),
];
