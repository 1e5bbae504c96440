import { Unauthenticated } from '@marimo/contracts';
import { personalData } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { getMember } from '../../organisations/members/index.ts';
import { lockOrganisation } from '../../organisations/organisations/index.ts';
import { emailKey, getCredentials, lockCredentials } from '../people/index.ts';
import { requirePerson } from '../self-service/index.ts';
import { actingAs, requireAccountControl } from '../sessions/index.ts';
import { eraseEverywhere, eraseFormerMember, isKeptElsewhere } from './erasure.ts';
import { allOf, partOf } from './export.ts';
import { keptByWorkers } from './kept-by-workers.ts';
import { listTenantsKnowing } from './store.ts';

export function personalDataRoutes(deps: Deps): readonly Route[] {
  return [exportMine(deps), exportOfMember(deps), eraseMine(deps), eraseOfMember(deps)];
}

function exportMine(deps: Deps): Route {
  const { outbox, clock } = deps;
  return handle(personalData.exportMine, async (call) => {
    const caller = requirePerson(call);
    const { userId, tenantId } = caller;
    const { known, tenants } = await call.withoutTenant(async (tx) => {
      const known = await getCredentials(tx, userId);
      await requireAccountControl(tx, caller); // and again below: they may join another organisation meanwhile
      return { known, tenants: known === undefined ? [] : await listTenantsKnowing(tx, known) };
    });
    if (known === undefined) throw new Unauthenticated({});
    const kept = await keptByWorkers(deps, known, tenants, call);
    const data = await call.withoutTenant(async (tx) => {
      const person = await lockCredentials(tx, userId);
      if (person === undefined) throw new Unauthenticated({});
      await requireAccountControl(tx, caller);
      const all = await allOf(tx, person, kept, clock());
      await tx.enterTenant(tenantId);
      await outbox.add(tx, personalData.exported, userId, { userId, scope: 'person' });
      return all;
    });
    return reply(200, data);
  });
}

function exportOfMember(deps: Deps): Route {
  const { outbox, clock } = deps;
  return handle(personalData.exportOfMember, async (call) => {
    const { personId: userId } = call.params;
    const known = await call.readInTenant(async (tx) =>
      requireFound(await getMember(tx, userId, clock()), 'member'),
    );
    const whose = { personId: userId, email: known.email };
    const kept = await keptByWorkers(deps, whose, [call.tenantId], call);
    return call.inTenant(async (tx) => {
      const now = clock();
      const member = requireFound(await getMember(tx, userId, now), 'member');
      const person = requireFound(await lockCredentials(tx, userId), 'member');
      const data = await partOf(tx, { ...person, name: member.name }, member, kept, now);
      await outbox.add(tx, personalData.exported, userId, { userId, scope: 'organisation' });
      return reply(200, data);
    });
  });
}

function eraseMine(deps: Deps): Route {
  return handle(personalData.eraseMe, async (call) => {
    const caller = requirePerson(call);
    const { userId, tenantId } = caller;
    await actingAs(tenantId, userId, () =>
      call.withoutTenant(async (tx) => {
        const person = await lockCredentials(tx, userId);
        if (person === undefined) throw new Unauthenticated({});
        await requireAccountControl(tx, caller);
        if (emailKey(person.email) !== emailKey(call.body.email.trim()))
          throw new personalData.OwnEmailDiffers({});
        await eraseEverywhere(tx, deps, person, tenantId);
      }),
    );
    return reply(204, null);
  });
}

function eraseOfMember(deps: Deps): Route {
  return handle(personalData.eraseMember, async (call) => {
    const { personId } = call.params;
    const { tenantId } = call;
    // Nobody of another organisation is looked for or locked: how long that takes would tell that they are there.
    await call.readInTenant(async (tx) =>
      requireFound(await getMember(tx, personId, deps.clock()), 'member'),
    );
    await call.withoutTenant(async (tx) => {
      // First, so that of two organisations that erase somebody at once the second sees that the first has.
      const person = requireFound(await lockCredentials(tx, personId), 'member');
      const isKept = await isKeptElsewhere(tx, personId, tenantId);
      const here = await tx.enterTenant(tenantId);
      await lockOrganisation(here);
      const member = requireFound(await getMember(here, personId, deps.clock()), 'member');
      if (member.state !== 'left') throw new personalData.MemberHasNotLeft({});
      // The answer is the same whether other organisations know them: that is nobody's business here.
      await eraseFormerMember(here, deps, person, isKept);
    });
    return reply(204, null);
  });
}
