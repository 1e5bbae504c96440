import { organisationRegistered } from '@marimo/contracts/users';
import { consumer } from '@marimo/messaging';
import type { Deps } from '@marimo/service-kit';
import { queueEmail } from './store.ts';
import { welcome } from './templates/welcome.ts';

/** Only writes the mail down; `sender.ts` sends it once that is committed. */
export const emailConsumer = consumer<Deps, typeof organisationRegistered>({
  name: 'email',
  queue: 'email_queue',
  events: [organisationRegistered],
  async handle(tx, { id, data: { organisation, admin } }, { clock }) {
    const { name, email } = admin;
    await queueEmail(tx, {
      ...welcome(admin.language, { name, email, organisation: organisation.name }),
      emailId: id,
      kind: 'welcome',
      recipient: email,
      recipientName: name,
      createdAt: clock(),
    });
  },
});
