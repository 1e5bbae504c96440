import { secondFactors } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { listTenantIds } from '../people/index.ts';
import { securityNoticeTo } from '../self-service/index.ts';
import { requireAccountControl } from '../sessions/index.ts';
import { countRecoveryCodes, replaceRecoveryCodes } from './recovery-code-store.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import {
  deleteFactor,
  type Factor,
  listFactors,
  lockFactors,
  requiresSecondFactor,
  updateFactorName,
} from './store.ts';

export function factorRoutes({ outbox, clock }: Deps): readonly Route[] {
  return [
    handle(secondFactors.list, async (call) => {
      const personId = call.caller.userId;
      return call.readInTenant(async (tx) => {
        const items = (await listFactors(tx, personId)).map(toApiFactor);
        return reply(200, { items, recoveryCodesLeft: await countRecoveryCodes(tx, personId) });
      });
    }),

    handle(secondFactors.rename, async (call) => {
      const { caller, params } = call;
      const personId = caller.userId;
      return call.inTenant(async (tx) => {
        await requireAccountControl(tx, caller);
        const renamed = requireFound(
          await updateFactorName(tx, { personId, factorId: params.factorId, name: call.body.name }),
          'second factor',
        );
        await outbox.add(tx, secondFactors.renamed, personId, factOf(personId, renamed));
        return reply(200, toApiFactor(renamed));
      });
    }),

    handle(secondFactors.remove, async (call) => {
      const { params, tenantId, caller } = call;
      const personId = caller.userId;
      await call.withoutTenant(async (tx) => {
        await requireAccountControl(tx, caller);
        // Two who remove the last two at once would each see the other's.
        await lockFactors(tx, personId);
        const removed = requireFound(await deleteFactor(tx, personId, params.factorId), 'second factor');
        if ((await listFactors(tx, personId)).length === 0) await leaveWithout(tx, personId);
        const linkId = await securityNoticeTo(await tx.enterTenant(tenantId), personId, clock());
        await outbox.add(tx, secondFactors.removed, personId, { ...factOf(personId, removed), linkId });
      });
      return reply(204, null);
    }),

    handle(secondFactors.renewRecoveryCodes, async (call) => {
      const { caller } = call;
      const personId = caller.userId;
      return call.inTenant(async (tx) => {
        await requireAccountControl(tx, caller);
        await lockFactors(tx, personId);
        if ((await listFactors(tx, personId)).length === 0) throw new secondFactors.SecondFactorMissing({});
        return reply(201, { recoveryCodes: await giveRecoveryCodes(tx, outbox, personId) });
      });
    }),
  ];
}

/** New recovery codes instead of the old ones; only their hashes stay. */
export async function giveRecoveryCodes(
  tx: Transaction,
  outbox: Outbox,
  personId: string,
): Promise<string[]> {
  const codes = newRecoveryCodes();
  await replaceRecoveryCodes(tx, personId, codes.map(recoveryCodeHash));
  await outbox.add(tx, secondFactors.recoveryCodesRenewed, personId, {
    userId: personId,
    left: codes.length,
  });
  return codes;
}

export function factOf(personId: string, { factorId, kind, name }: Factor) {
  return { userId: personId, factorId, kind, name };
}

export function toApiFactor({ factorId: id, ...factor }: Factor): secondFactors.SecondFactor {
  return { id, ...factor };
}

/** Recovery codes stand in for something, so they go with the last of it; unless an organisation demands it. */
async function leaveWithout(tx: Transaction, personId: string): Promise<void> {
  await tx.inEachTenant(await listTenantIds(tx, personId), async (_, there) => {
    if (await requiresSecondFactor(there)) throw new secondFactors.LastFactorDemanded({});
  });
  await replaceRecoveryCodes(tx, personId, []);
}
