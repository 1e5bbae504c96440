import { keptOfPerson } from '@marimo/contracts/workers';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { emailsKept, notificationsKept } from './store.ts';

export const keptOfPeopleRoutes = ({ database }: Deps): readonly Route[] => [
  handle(keptOfPerson, async ({ params: { personId }, query, deadlineAt, signal }) =>
    reply(
      200,
      await database.inTenant(
        query.organisationId,
        async (tx) => ({
          emails: await emailsKept(tx, personId, query.email ?? null),
          notifications: await notificationsKept(tx, personId),
        }),
        { deadlineAt, signal, readOnly: true },
      ),
    ),
  ),
];
