import { sessions } from '@marimo/contracts/users';
import { currentContext, runInContext } from '@marimo/observability';
import type { Deps } from '@marimo/service-kit';
import type { Person } from '../people/index.ts';

/**
 * Puts a wrong password into the audit of where its owner works. After the answer, so that neither it nor its time tells
 * that there is such an account.
 */
export function noteFailure(
  { database, outbox, log }: Deps,
  { personId, lastTenantId }: Person,
  knownDevice: boolean,
): void {
  const requestId = currentContext()?.requestId;
  const context = { requestId: requestId ?? personId, tenantId: lastTenantId }; // nobody acts: it was anybody
  const write = () =>
    database.inTenant(lastTenantId, (tx) =>
      outbox.add(tx, sessions.signInFailed, personId, { userId: personId, knownDevice }),
    );
  setImmediate(() => {
    runInContext(context, write).catch((error: unknown) => {
      log.warn('a failed sign-in is not in the audit', { error });
    });
  });
}
