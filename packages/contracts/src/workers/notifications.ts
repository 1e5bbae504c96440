import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent } from '../platform/refusals.ts';
import { readNotifications } from './permissions.ts';

/** A key and its parameters instead of a text: the portal says it in the reader's language. */
export const Notification = z.strictObject({
  id: Id,
  key: z.enum(['welcome']),
  params: z.record(z.string(), personal(z.string())),
  createdAt: Instant,
  readAt: Instant.nullable(),
});
export type Notification = z.infer<typeof Notification>;

export const list = endpoint({
  method: 'GET',
  path: '/api/v1/workers/notifications',
  summary: "Lists the caller's notifications, newest first.",
  access: readNotifications,
  query: PageQuery.extend({ unread: z.enum(['true', 'false']).default('false') }),
  replies: { 200: pageOf(Notification) },
});

export const markRead = endpoint({
  method: 'POST',
  path: '/api/v1/workers/notifications/{id}/read',
  summary: "Marks one of the caller's notifications as read. Repeating the request has no effect.",
  access: readNotifications,
  params: z.strictObject({ id: Id }),
  replies: { 200: Notification },
  refusals: [Absent],
});

export const markAllRead = endpoint({
  method: 'POST',
  path: '/api/v1/workers/notifications/read-all',
  summary: "Marks all of the caller's notifications as read.",
  access: readNotifications,
  replies: { 200: z.strictObject({ read: z.int() }) },
});
