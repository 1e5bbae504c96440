import { organisations } from '@marimo/contracts/users';
import { runPeriodically } from '@marimo/observability';
import type { TenantTransaction } from '@marimo/postgres';
import type { BackgroundWork, Deps } from '@marimo/service-kit';
import { endKeysOf } from '../../access/service-accounts/index.ts';
import { endSessionsOfAllBut } from '../../identity/sessions/index.ts';
import { getSettings, lockOrganisation, updateSettings } from '../organisations/index.ts';
import { deleteClosing, deleteWorkplaces, endAllMemberships, listDueToClose } from './store.ts';

/** With the polling of revocations far less than the minute in which a closed organisation has to be gone. */
const pauseMs = 15_000;
const atOnce = 100;

type Closing = Pick<Deps, 'database' | 'outbox' | 'clock'> & { readonly log: Pick<Deps['log'], 'warn'> };

export const closing: BackgroundWork = {
  name: 'closing organisations',
  async start(deps) {
    return runPeriodically({ name: 'closing organisations', pauseMs, log: deps.log }, () => closeDue(deps));
  },
};

/** Closes every organisation whose time to be reopened has run out; one that cannot be closed keeps no other waiting. */
export async function closeDue({ database, outbox, clock, log }: Closing): Promise<void> {
  const due = await database.withoutTenant((tx) => listDueToClose(tx, clock(), atOnce), { readOnly: true });
  for (const tenantId of due) {
    await database
      .inTenant(tenantId, (tx) => closeForGood(tx, outbox, clock))
      .catch((error: unknown) => log.warn('an organisation could not be closed', { tenantId, error }));
  }
}

async function closeForGood(
  tx: TenantTransaction,
  outbox: Deps['outbox'],
  clock: Deps['clock'],
): Promise<void> {
  await lockOrganisation(tx);
  const present = (await getSettings(tx))?.settings;
  const now = clock();
  // Somebody may have reopened it, or another instance have closed it, while we waited.
  if (present?.state !== 'closing' || present.closesAt === null || present.closesAt > now) return;

  const settings = { ...present, state: 'closed' as const };
  await updateSettings(tx, settings);
  await deleteClosing(tx);
  await deleteWorkplaces(tx); // people before their sessions, as everywhere: nobody waits in a circle
  await endSessionsOfAllBut(tx, outbox, [], { reason: 'organisation', now });
  await endKeysOf(tx, outbox, { all: true }, now);
  await endAllMemberships(tx, now);
  await outbox.add(tx, organisations.closed, settings.id, settings);
}
