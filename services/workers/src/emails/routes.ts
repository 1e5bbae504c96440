import { Id, Instant } from '@marimo/contracts';
import { emails } from '@marimo/contracts/workers';
import { handle, type Route, readPage, reply } from '@marimo/service-kit';
import { listEmails } from './store.ts';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ createdAt, id }: emails.Email) => [createdAt, id],
} as const;

export const emailRoutes = (): readonly Route[] => [
  handle(emails.list, async (call) => {
    const page = await readPage(call.query, newestFirst, (slice) =>
      call.readInTenant((tx) => listEmails(tx, { state: call.query.state, ...slice })),
    );
    return reply(200, page);
  }),
];
