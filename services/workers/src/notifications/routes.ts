import { Absent, Id, Unauthenticated } from '@marimo/contracts';
import { notifications } from '@marimo/contracts/workers';
import { type Call, cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { pageFrom } from '../page.ts';
import { markAllRead, markRead, notificationsBefore } from './store.ts';

export const notificationRoutes = ({ clock }: Deps): readonly Route[] => [
  handle(notifications.list, async (call) => {
    const { after, limit, unread } = call.query;
    const position = readCursor(after, z.iso.datetime(), Id);
    const before = position && { createdAt: position[0], id: position[1] };
    const filter = { unreadOnly: unread === 'true', before, limit: limit + 1 };
    const found = await call.readInTenant((tx) => notificationsBefore(tx, personOf(call), filter));
    return reply(
      200,
      pageFrom(found, limit, ({ createdAt, id }) => cursorOf(createdAt, id)),
    );
  }),

  handle(notifications.markRead, (call) =>
    call.inTenant(async (tx) => {
      const notification = await markRead(tx, personOf(call), call.params.id, clock());
      if (notification === undefined) throw new Absent({ resource: 'notification' });
      return reply(200, notification);
    }),
  ),

  handle(notifications.markAllRead, (call) =>
    call.inTenant(async (tx) => reply(200, { read: await markAllRead(tx, personOf(call), clock()) })),
  ),
];

function personOf({ caller }: Pick<Call, 'caller'>): string {
  if (caller === undefined) throw new Unauthenticated({});
  return caller.userId;
}
