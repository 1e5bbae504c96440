import { personalRecords } from '@marimo/contracts/workers';
import { handle, type Route, reply } from '@marimo/service-kit';
import { listKeptEmails, listKeptNotifications } from './store.ts';

export const keptOfPeopleRoutes = (): readonly Route[] => [
  handle(personalRecords.getKept, async ({ params: { personId }, query, readInTenant }) =>
    reply(
      200,
      await readInTenant(async (tx) => ({
        emails: await listKeptEmails(tx, personId, query.email ?? null),
        notifications: await listKeptNotifications(tx, personId),
      })),
    ),
  ),
];
