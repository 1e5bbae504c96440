import { Absent, Unauthenticated } from '@marimo/contracts';
import { deviceSessions, knownDevices, sessions } from '@marimo/contracts/users';
import type { Transaction, TransactionOptions } from '@marimo/postgres';
import { type Call, type Caller, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import {
  demandSayOverSelf,
  endSession,
  endSessionsOf,
  hasOwnProof,
  type KnownDevices,
  type SessionParts,
} from '../sessions/index.ts';
import {
  isMember,
  isSessionOf,
  type LivingSession,
  livingSessions,
  nameSession,
  workplacesOf,
} from './store.ts';

/** Where a person is signed in. Their own sessions they see in every organisation, a member's only in one. */
export const deviceSessionRoutes = (
  deps: Deps,
  { devices }: Pick<SessionParts, 'devices'>,
): readonly Route[] => [
  remembering(deps, devices),
  listing(deps),
  naming(deps),
  revokingOne(deps),
  revokingMany(deps),
  revokingOfMember(deps),
];

/**
 * One piece of work in each of the organisations the caller belongs to, in one commit; only in the one they are in where
 * they have not proved themselves who they are.
 */
async function everywhere(
  { database }: Deps,
  { deadlineAt, signal }: Pick<Call, 'deadlineAt' | 'signal'>,
  caller: Caller,
  work: (tx: Transaction, tenantId: string) => Promise<void>,
  options: TransactionOptions = {},
): Promise<void> {
  await database.withoutTenant(
    async (tx) => {
      const known = await workplacesOf(tx, caller.userId);
      const everywhere = hasOwnProof(caller);
      const tenantIds = known.filter((tenantId) => everywhere || tenantId === caller.tenantId);
      await tx.inEachTenant(tenantIds, (tenantId) => work(tx, tenantId));
    },
    { deadlineAt, signal, ...options },
  );
}

/** Each has attempts of its own at the password, so a provider's word must not make any number of them. */
function remembering({ database, clock }: Deps, devices: KnownDevices): Route {
  return handle(knownDevices.remember, async (call) => {
    const caller = callerOf(call);
    await database.withoutTenant((tx) => demandSayOverSelf(tx, caller));
    const { deviceToken, expiresAt } = devices.tokenFor(caller.userId, caller.sessionId, clock());
    return reply(201, { deviceToken, expiresAt: expiresAt.toISOString() });
  });
}

function listing(deps: Deps): Route {
  return handle(deviceSessions.listMine, async (call) => {
    const caller = callerOf(call);
    const { userId, sessionId } = caller;
    const items: deviceSessions.DeviceSession[] = [];
    const read = async (tx: Transaction, tenantId: string) => {
      const living = await livingSessions(tx, { personId: userId, now: deps.clock() });
      items.push(...living.map((session) => asSeen(session, tenantId, sessionId)));
    };
    await everywhere(deps, call, caller, read, { readOnly: true });
    items.sort((a, b) => b.lastUsedAt.localeCompare(a.lastUsedAt));
    return reply(200, { items, next: null });
  });
}

function naming(deps: Deps): Route {
  return handle(deviceSessions.nameMine, async (call) => {
    const { sessionId } = call.params;
    const { deviceName } = call.body;
    const caller = callerOf(call);
    const { userId, sessionId: current } = caller;
    let named: deviceSessions.DeviceSession | undefined;
    await everywhere(deps, call, caller, async (tx, tenantId) => {
      const [session] = await livingSessions(tx, { personId: userId, sessionId, now: deps.clock() });
      if (session === undefined) return;
      named = { ...asSeen(session, tenantId, current), deviceName };
      if (session.deviceName === deviceName) return;
      await nameSession(tx, sessionId, deviceName);
      await deps.outbox.add(tx, sessions.named, sessionId, { sessionId, userId, deviceName });
    });
    if (named === undefined) throw new Absent({ resource: 'session' });
    return reply(200, named);
  });
}

function revokingOne(deps: Deps): Route {
  return handle(deviceSessions.revokeMine, async (call) => {
    const { sessionId } = call.params;
    const caller = callerOf(call);
    const { userId } = caller;
    let found = false;
    await everywhere(deps, call, caller, async (tx) => {
      if (!(await isSessionOf(tx, userId, sessionId))) return;
      found = true;
      await endSession(tx, deps.outbox, { sessionId, personId: userId }, 'revoked', deps.clock());
    });
    if (!found) throw new Absent({ resource: 'session' });
    return reply(204, null);
  });
}

function revokingMany(deps: Deps): Route {
  return handle(deviceSessions.revokeAllMine, async (call) => {
    const caller = callerOf(call);
    const { userId, sessionId } = caller;
    const except = call.body.which === 'others' ? { except: sessionId } : {};
    const end = { personId: userId, reason: 'revoked', now: deps.clock(), ...except } as const;
    let ended = 0;
    await everywhere(deps, call, caller, async (tx) => {
      ended += await endSessionsOf(tx, deps.outbox, end);
    });
    return reply(200, { ended });
  });
}

function revokingOfMember({ outbox, clock }: Deps): Route {
  return handle(deviceSessions.revokeOfMember, (call) => {
    const { memberId: personId } = call.params;
    return call.inTenant(async (tx) => {
      if (!(await isMember(tx, personId))) throw new Absent({ resource: 'member' });
      const ended = await endSessionsOf(tx, outbox, { personId, reason: 'revoked', now: clock() });
      return reply(200, { ended });
    });
  });
}

function callerOf({ caller }: Pick<Call, 'caller'>): Caller {
  if (caller === undefined) throw new Unauthenticated({});
  return caller;
}

function asSeen(
  session: LivingSession,
  organisationId: string,
  current: string,
): deviceSessions.DeviceSession {
  const { sessionId, organisationName, startedAt, lastUsedAt, expiresAt, ...rest } = session;
  return {
    ...rest,
    id: sessionId,
    organisation: { id: organisationId, name: organisationName },
    current: sessionId === current,
    startedAt: startedAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
