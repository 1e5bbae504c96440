import { Absent, Id } from '@marimo/contracts';
import { members, organisations } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Call, cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { lockOrganisation } from '../organisations/index.ts';
import { demandMayTake } from '../separation-of-duties/index.ts';
import { endMembership, letIn, shutOut } from './members.ts';
import { findMember, membersAfter } from './store.ts';

export function memberRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(deps), ...decidingRoutes(deps), leaveRoute(deps)];
}

function readingRoutes({ clock }: Deps): Route[] {
  return [
    handle(members.list, async (call) => {
      const { text, state, limit } = call.query;
      const position = readCursor(call.query.after, z.string().max(200), Id);
      const after = position && { name: position[0], id: position[1] };
      const filter = { text, state, after, limit: limit + 1 };
      const found = await call.readInTenant((tx) => membersAfter(tx, filter, clock()));
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last !== undefined ? cursorOf(last.name, last.id) : null;
      return reply(200, { items, next });
    }),

    handle(members.get, async (call) => {
      const found = await call.readInTenant((tx) => findMember(tx, call.params.memberId, clock()));
      return reply(200, demand(found));
    }),
  ];
}

/** What somebody else decides about a member; deciding the same again changes nothing. */
function decidingRoutes({ outbox, clock }: Deps): Route[] {
  type Deciding = Call<typeof members.suspend | typeof members.reinstate | typeof members.remove>;
  const decide = (
    call: Pick<Deciding, 'params' | 'caller' | 'inTenant'>,
    wanted: members.MemberState,
    decision: (tx: TenantTransaction, member: members.Member, by: string, now: Date) => Promise<void>,
  ) =>
    call.inTenant(async (tx) => {
      const { memberId } = call.params;
      const by = call.caller?.userId ?? '';
      await lockOrganisation(tx);
      const now = clock(); // only after the lock: every token made before is older
      const member = demand(await findMember(tx, memberId, now));
      if (memberId === by) throw new members.OwnMembership({});
      if (member.state === wanted) return reply(200, member);
      if (member.state === 'left') throw new members.MemberHasLeft({});
      await demandMayTake(tx, call.caller, member.roles);
      await decision(tx, member, by, now);
      return reply(200, demand(await findMember(tx, memberId, now)));
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
      const by = call.caller?.userId ?? '';
      await lockOrganisation(tx);
      const now = clock();
      const member = demand(await findMember(tx, by, now));
      if (member.state !== 'left') {
        await endMembership(tx, outbox, member, { by, now });
        await outbox.add(tx, members.left, by, factOf(member));
      }
      return reply(204, null);
    }),
  );
}

function demand(member: members.Member | undefined): members.Member {
  if (member === undefined) throw new Absent({ resource: 'member' });
  return member;
}

function factOf({ id, roles }: members.Member) {
  return { userId: id, roles: [...roles] };
}
