import type { EventDefinition } from '@marimo/contracts';
import { personalData, sessions } from '@marimo/contracts/users';
import { type ConsumedEvent, consumer } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import { insertErased, isErased } from '../erased-people/index.ts';
import { deleteNotificationsOf, insertNotification } from './store.ts';

type About<E extends EventDefinition> = ConsumedEvent<E>;

export const notificationConsumer = consumer<
  Deps,
  typeof sessions.organisationRegistered | typeof personalData.erased
>({
  name: 'notification',
  queue: 'notification_queue',
  events: [sessions.organisationRegistered, personalData.erased],
  async handle(tx, event, { clock }) {
    if (event.type === personalData.erased.type)
      await forget(tx, event as About<typeof personalData.erased>, clock());
    else await welcome(tx, event as About<typeof sessions.organisationRegistered>, clock());
  },
});

async function welcome(
  tx: TenantTransaction,
  { id, data: { organisation, admin } }: About<typeof sessions.organisationRegistered>,
  now: Date,
): Promise<void> {
  if (await isErased(tx, admin.id)) return;
  await insertNotification(tx, {
    notificationId: id,
    personId: admin.id,
    key: 'welcome',
    params: { name: admin.name, organisation: organisation.name },
    createdAt: now,
  });
}

async function forget(
  tx: TenantTransaction,
  { data: { userId } }: About<typeof personalData.erased>,
  now: Date,
): Promise<void> {
  await insertErased(tx, userId, now);
  await deleteNotificationsOf(tx, userId);
}
