import { secondFactors } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { listTenantIds } from '../people/index.ts';
import { securityNoticeTo } from '../self-service/index.ts';
import { endSessionsOf } from '../sessions/index.ts';
import { deleteChallengesOf } from './challenge-store.ts';
import { replaceRecoveryCodes } from './recovery-code-store.ts';
import { deleteAllFactors, isMember, lockFactors, lockPerson, updateLockout } from './store.ts';

export function resetRoutes({ outbox, clock }: Deps): readonly Route[] {
  return [
    handle(secondFactors.resetOfMember, async (call) => {
      const { memberId: personId } = call.params;
      return call.inTenant(async (tx) => {
        await lockPerson(tx, personId);
        requireFound((await isMember(tx, personId)) || undefined, 'member');
        const tenantIds = await listTenantIds(tx, personId);
        if (tenantIds.some((tenantId) => tenantId !== tx.tenantId))
          throw new secondFactors.MemberElsewhere({});
        if ((await forgetSecondFactors(tx, personId)) > 0) {
          const now = clock();
          const linkId = await securityNoticeTo(tx, personId, now);
          await outbox.add(tx, secondFactors.reset, personId, { userId: personId, linkId });
          await endSessionsOf(tx, outbox, { personId, reason: 'second-factors', now });
        }
        return reply(204, null);
      });
    }),
  ];
}

/** Takes away all that a person could prove a second step with; tells how many factors there were. */
export async function forgetSecondFactors(tx: Transaction, personId: string): Promise<number> {
  await deleteChallengesOf(tx, personId);
  await lockFactors(tx, personId);
  const gone = await deleteAllFactors(tx, personId);
  await replaceRecoveryCodes(tx, personId, []);
  await updateLockout(tx, personId, { failures: 0, blockedUntil: null });
  return gone;
}
