import type { EventDefinition } from '@marimo/contracts';
import { organisationRegistered, personErased } from '@marimo/contracts/users';
import { type ConsumedEvent, consumer } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import { isErased, noteErased } from '../erased-people/index.ts';
import { deleteNotificationsOf, insertNotification } from './store.ts';

type About<E extends EventDefinition> = ConsumedEvent<E>;

export const notificationConsumer = consumer<Deps, typeof organisationRegistered | typeof personErased>({
  name: 'notification',
  queue: 'notification_queue',
  events: [organisationRegistered, personErased],
  async handle(tx, event, { clock }) {
    if (event.type === personErased.type) await forget(tx, event as About<typeof personErased>, clock());
    else await welcome(tx, event as About<typeof organisationRegistered>, clock());
  },
});

async function welcome(
  tx: Transaction,
  { id, data: { organisation, admin } }: About<typeof organisationRegistered>,
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
  tx: Transaction,
  { data: { userId } }: About<typeof personErased>,
  now: Date,
): Promise<void> {
  await noteErased(tx, userId, now);
  await deleteNotificationsOf(tx, userId);
}
