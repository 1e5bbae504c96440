import { Absent, Unauthenticated } from '@marimo/contracts';
import { personalData } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { findMember } from '../members/index.ts';
import { emailKey, lockOrganisation } from '../organisations/index.ts';
import { findAccount, lockAccount, personCalling } from '../people/index.ts';
import { actingAs, demandSayOverSelf } from '../sessions/index.ts';
import { eraseEverywhere, eraseFormerMember, isKeptElsewhere } from './erasure.ts';
import { allOf, partOf } from './export.ts';
import { keptByWorkers } from './kept-by-workers.ts';
import { tenantsKnowing } from './store.ts';

export function personalDataRoutes(deps: Deps): readonly Route[] {
  return [exportMine(deps), exportOfMember(deps), eraseMine(deps), eraseOfMember(deps)];
}

function exportMine(deps: Deps): Route {
  const { database, outbox, clock } = deps;
  return handle(personalData.exportMine, async (call) => {
    const caller = personCalling(call);
    const { userId, tenantId } = caller;
    const { deadlineAt, signal } = call;
    const { known, tenants } = await database.withoutTenant(
      async (tx) => {
        const known = await findAccount(tx, userId);
        await demandSayOverSelf(tx, caller); // and again below: they may join another organisation meanwhile
        return { known, tenants: known === undefined ? [] : await tenantsKnowing(tx, known) };
      },
      { deadlineAt, signal },
    );
    if (known === undefined) throw new Unauthenticated({});
    const kept = await keptByWorkers(deps, known, tenants, call);
    const data = await database.withoutTenant(
      async (tx) => {
        const account = await lockAccount(tx, userId);
        if (account === undefined) throw new Unauthenticated({});
        await demandSayOverSelf(tx, caller);
        const all = await allOf(tx, account, kept, clock());
        await tx.enterTenant(tenantId);
        await outbox.add(tx, personalData.exported, userId, { userId, scope: 'person' });
        return all;
      },
      { deadlineAt, signal },
    );
    return reply(200, data);
  });
}

function exportOfMember(deps: Deps): Route {
  const { outbox, clock } = deps;
  return handle(personalData.exportOfMember, async (call) => {
    const { personId: userId } = call.params;
    const known = await call.readInTenant((tx) => findMember(tx, userId, clock()));
    if (known === undefined) throw new Absent({ resource: 'member' });
    const whose = { personId: userId, email: known.email };
    const kept = await keptByWorkers(deps, whose, [call.tenantId], call);
    return call.inTenant(async (tx) => {
      const now = clock();
      const member = await findMember(tx, userId, now);
      const account = member && (await lockAccount(tx, userId));
      if (account === undefined || member === undefined) throw new Absent({ resource: 'member' });
      const data = await partOf(tx, { ...account, name: member.name }, member, kept, now);
      await outbox.add(tx, personalData.exported, userId, { userId, scope: 'organisation' });
      return reply(200, data);
    });
  });
}

function eraseMine(deps: Deps): Route {
  return handle(personalData.eraseMe, async (call) => {
    const caller = personCalling(call);
    const { userId, tenantId } = caller;
    const { deadlineAt, signal } = call;
    await actingAs(tenantId, userId, () =>
      deps.database.withoutTenant(
        async (tx) => {
          const account = await lockAccount(tx, userId);
          if (account === undefined) throw new Unauthenticated({});
          await demandSayOverSelf(tx, caller);
          if (emailKey(account.email) !== emailKey(call.body.email.trim()))
            throw new personalData.OwnEmailDiffers({});
          await eraseEverywhere(tx, deps, account, tenantId);
        },
        { deadlineAt, signal },
      ),
    );
    return reply(204, null);
  });
}

function eraseOfMember(deps: Deps): Route {
  return handle(personalData.eraseMember, async (call) => {
    const { personId } = call.params;
    const { tenantId, deadlineAt, signal } = call;
    // Nobody of another organisation is looked for or locked: how long that takes would tell that they are there.
    const known = await call.readInTenant((tx) => findMember(tx, personId, deps.clock()));
    if (known === undefined) throw new Absent({ resource: 'member' });
    await deps.database.withoutTenant(
      async (tx) => {
        // First, so that of two organisations that erase somebody at once the second sees that the first has.
        const account = await lockAccount(tx, personId);
        const isKept = await isKeptElsewhere(tx, personId, tenantId);
        await tx.enterTenant(tenantId);
        await lockOrganisation(tx);
        const member = account && (await findMember(tx, personId, deps.clock()));
        if (account === undefined || member === undefined) throw new Absent({ resource: 'member' });
        if (member.state !== 'left') throw new personalData.MemberHasNotLeft({});
        // The answer is the same whether other organisations know them: that is nobody's business here.
        await eraseFormerMember(tx, deps, account, isKept);
      },
      { deadlineAt, signal },
    );
    return reply(204, null);
  });
}
