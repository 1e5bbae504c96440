import { Id } from '@marimo/contracts';
import { members, organisations } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { z } from 'zod';
import { requireMayTake } from '../../access/conflicting-duties/index.ts';
import { lockOrganisation } from '../organisations/index.ts';
import { endMembership, letIn, shutOut } from './members.ts';
import { getMember, listMembers } from './store.ts';

const byName = {
  parts: [z.string().max(200), Id],
  keyOf: ({ name, id }: members.Member) => [name, id],
} as const;

export function memberRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(deps), ...decidingRoutes(deps), leaveRoute(deps)];
}

function readingRoutes({ clock }: Deps): Route[] {
  return [
    handle(members.list, async (call) => {
      const page = await readPage(call.query, byName, (slice) =>
        call.readInTenant((tx) => listMembers(tx, { ...call.query, ...slice }, clock())),
      );
      return reply(200, page);
    }),

    handle(members.get, async (call) => {
      const found = await call.readInTenant((tx) => getMember(tx, call.params.memberId, clock()));
      return reply(200, requireFound(found, 'member'));
    }),
  ];
}

/** What somebody else decides about a member; deciding the same again changes nothing. */
function decidingRoutes({ outbox, clock }: Deps): Route[] {
  const decide = (
    call: Pick<Call<typeof members.suspend>, 'params' | 'caller' | 'inTenant'>,
    wanted: members.MemberState,
    decision: (tx: TenantTransaction, member: members.Member, by: string, now: Date) => Promise<void>,
  ) =>
    call.inTenant(async (tx) => {
      const { memberId } = call.params;
      const by = call.caller.userId;
      await lockOrganisation(tx);
      const now = clock(); // only after the lock: every token made before is older
      const member = requireFound(await getMember(tx, memberId, now), 'member');
      if (memberId === by) throw new members.OwnMembership({});
      if (member.state === wanted) return reply(200, member);
      if (member.state === 'left') throw new members.MemberHasLeft({});
      await requireMayTake(tx, call.caller, member.roles);
      await decision(tx, member, by, now);
      return reply(200, requireFound(await getMember(tx, memberId, now), 'member'));
    });

  return [
    handle(members.suspend, (call) =>
      decide(call, 'suspended', async (tx, member, _, now) => {
        await shutOut(tx, outbox, member, now);
        await outbox.add(tx, members.suspended, member.id, factOf(member));
      }),
    ),

    handle(members.reinstate, (call) =>
      decide(call, 'active', async (tx, member, _, now) => {
        await letIn(tx, member.id, now);
        await outbox.add(tx, members.reinstated, member.id, factOf(member));
      }),
    ),

    handle(members.remove, (call) =>
      decide(call, 'left', async (tx, member, by, now) => {
        await endMembership(tx, outbox, member, { by, now });
        await outbox.add(tx, members.removed, member.id, factOf(member));
      }),
    ),
  ];
}

function leaveRoute({ outbox, clock }: Deps): Route {
  return handle(organisations.leave, (call) =>
    call.inTenant(async (tx) => {
      const by = call.caller.userId;
      await lockOrganisation(tx);
      const now = clock();
      const member = requireFound(await getMember(tx, by, now), 'member');
      if (member.state !== 'left') {
        await endMembership(tx, outbox, member, { by, now });
        await outbox.add(tx, members.left, by, factOf(member));
      }
      return reply(204, null);
    }),
  );
}

function factOf({ id, roles }: members.Member) {
  return { userId: id, roles: [...roles] };
}
