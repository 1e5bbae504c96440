import { audit } from '@marimo/contracts/workers';
import { handle, type Route, readPage, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { listRecords, readChain } from './store.ts';
import { verdictOn } from './verification.ts';

const newestFirst = {
  parts: [z.int()],
  keyOf: ({ sequence }: audit.AuditRecord) => [sequence],
} as const;

export const auditRoutes = (): readonly Route[] => [
  handle(audit.list, async (call) => {
    const page = await readPage(call.query, newestFirst, (slice) =>
      call.readInTenant((tx) => listRecords(tx, { ...call.query, ...slice })),
    );
    return reply(200, page);
  }),

  handle(audit.verify, async (call) => reply(200, verdictOn(await call.readInTenant(readChain)))),
];
