import { Id, Instant } from '@marimo/contracts';
import { notifications } from '@marimo/contracts/workers';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { listNotifications, markAllRead, markRead } from './store.ts';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ createdAt, id }: notifications.Notification) => [createdAt, id],
} as const;

export const notificationRoutes = ({ clock }: Deps): readonly Route[] => [
  handle(notifications.list, async (call) => {
    const { query, caller } = call;
    const filter = { personId: caller.userId, unreadOnly: query.unread === 'true' };
    const page = await readPage(query, newestFirst, (slice) =>
      call.readInTenant((tx) => listNotifications(tx, { ...filter, ...slice })),
    );
    return reply(200, page);
  }),

  handle(notifications.markRead, (call) =>
    call.inTenant(async (tx) => {
      const notification = await markRead(tx, call.caller.userId, call.params.id, clock());
      return reply(200, requireFound(notification, 'notification'));
    }),
  ),

  handle(notifications.markAllRead, (call) =>
    call.inTenant(async (tx) => reply(200, { read: await markAllRead(tx, call.caller.userId, clock()) })),
  ),
];
