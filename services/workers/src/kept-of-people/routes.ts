import { personalRecords } from '@marimo/contracts/workers';
import { handle, type Route, reply } from '@marimo/service-kit';
import { emailsKept, notificationsKept } from './store.ts';

export const keptOfPeopleRoutes = (): readonly Route[] => [
  handle(personalRecords.getKept, async ({ params: { personId }, query, readInTenant }) =>
    reply(
      200,
      await readInTenant(async (tx) => ({
        emails: await emailsKept(tx, personId, query.email ?? null),
        notifications: await notificationsKept(tx, personId),
      })),
    ),
  ),
];
