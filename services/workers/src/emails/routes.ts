import { Id } from '@marimo/contracts';
import { emails } from '@marimo/contracts/workers';
import { cursorOf, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { pageFrom } from '../page.ts';
import { emailsBefore } from './store.ts';

export const emailRoutes = (): readonly Route[] => [
  handle(emails.list, async (call) => {
    const { state, limit, after } = call.query;
    const position = readCursor(after, z.iso.datetime(), Id);
    const before = position && { createdAt: position[0], id: position[1] };
    const found = await call.readInTenant((tx) => emailsBefore(tx, { state, before, limit: limit + 1 }));
    return reply(
      200,
      pageFrom(found, limit, ({ createdAt, id }) => cursorOf(createdAt, id)),
    );
  }),
];
