import { organisations } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { securityNotice } from '../../identity/self-service/index.ts';
import { listAdministrators } from '../organisations/index.ts';
import { dayOf } from './organisation-lifecycle.ts';
import { listAddressees } from './store.ts';

/** Has every administrator told by mail that the organisation closes, or that it does not, whoever decided it. */
export async function announce(
  tx: TenantTransaction,
  outbox: Outbox,
  { closesAt, timeZone }: Pick<organisations.OrganisationSettings, 'closesAt' | 'timeZone'>,
  now: Date,
): Promise<void> {
  const personIds = (await listAdministrators(tx, now)).map(({ personId }) => personId);
  for (const person of await listAddressees(tx, personIds)) {
    const { personId: userId } = person;
    const linkId = await securityNotice(tx, person, now);
    if (closesAt === null) await outbox.add(tx, organisations.reopeningAnnounced, userId, { userId, linkId });
    else {
      const closesOn = dayOf(closesAt, timeZone);
      await outbox.add(tx, organisations.closingAnnounced, userId, { userId, linkId, closesOn });
    }
  }
}
