import { Id } from '@marimo/contracts';
import { listEmails } from '@marimo/contracts/workers';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { pageFrom } from '../page.ts';
import { emailsBefore } from './store.ts';

export const emailRoutes = (_: Deps): readonly Route[] => [
  handle(listEmails, async ({ query, readInTenant }) => {
    const { state, limit } = query;
    const position = readCursor(query.after, z.iso.datetime(), Id);
    const before = position && { createdAt: position[0], id: position[1] };
    const found = await readInTenant((tx) => emailsBefore(tx, { state, before, limit: limit + 1 }));
    return reply(
      200,
      pageFrom(found, limit, ({ createdAt, id }) => cursorOf(createdAt, id)),
    );
  }),
];
