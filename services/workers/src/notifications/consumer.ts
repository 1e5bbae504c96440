import { organisationRegistered } from '@marimo/contracts/users';
import { consumer } from '@marimo/messaging';
import type { Deps } from '@marimo/service-kit';
import { insertNotification } from './store.ts';

export const notificationConsumer = consumer<Deps, typeof organisationRegistered>({
  name: 'notification',
  queue: 'notification_queue',
  events: [organisationRegistered],
  async handle(tx, { id, data: { organisation, admin } }, { clock }) {
    await insertNotification(tx, {
      notificationId: id,
      personId: admin.id,
      key: 'welcome',
      params: { name: admin.name, organisation: organisation.name },
      createdAt: clock(),
    });
  },
});
