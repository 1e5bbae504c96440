import { deviceSessions, knownDevices, sessions } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply, requireFound, type SignedInCall } from '@marimo/service-kit';
import { listTenantIds } from '../people/index.ts';
import {
  endSession,
  endSessionsOf,
  hasPersonalAuthentication,
  type KnownDevices,
  requireAccountControl,
  type SessionParts,
} from '../sessions/index.ts';
import { isSessionOf, type LivingSession, listLivingSessions, updateDeviceName, wasMember } from './store.ts';

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
  { caller, withoutTenant }: Pick<SignedInCall, 'caller' | 'withoutTenant'>,
  work: (tx: TenantTransaction) => Promise<void>,
): Promise<void> {
  await withoutTenant(async (tx) => {
    const known = await listTenantIds(tx, caller.userId);
    const everywhere = hasPersonalAuthentication(caller);
    const tenantIds = known.filter((tenantId) => everywhere || tenantId === caller.tenantId);
    await tx.inEachTenant(tenantIds, (_, here) => work(here));
  });
}

/** Each has attempts of its own at the password, so a provider's word must not make any number of them. */
function remembering({ clock }: Deps, devices: KnownDevices): Route {
  return handle(knownDevices.remember, async (call) => {
    const { userId, sessionId } = call.caller;
    await call.withoutTenant((tx) => requireAccountControl(tx, call.caller));
    return reply(201, devices.tokenFor(userId, sessionId, clock()));
  });
}

function listing(deps: Deps): Route {
  return handle(deviceSessions.listMine, async (call) => {
    const { userId, sessionId } = call.caller;
    const items: deviceSessions.DeviceSession[] = [];
    await everywhere(call, async (tx) => {
      const living = await listLivingSessions(tx, { personId: userId, now: deps.clock() });
      items.push(...living.map((session) => toApiSession(session, tx.tenantId, sessionId)));
    });
    items.sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime());
    return reply(200, { items, next: null });
  });
}

function naming(deps: Deps): Route {
  return handle(deviceSessions.nameMine, async (call) => {
    const { sessionId } = call.params;
    const { deviceName } = call.body;
    const { userId, sessionId: current } = call.caller;
    let named: deviceSessions.DeviceSession | undefined;
    await everywhere(call, async (tx) => {
      const [session] = await listLivingSessions(tx, { personId: userId, sessionId, now: deps.clock() });
      if (session === undefined) return;
      named = { ...toApiSession(session, tx.tenantId, current), deviceName };
      if (session.deviceName === deviceName) return;
      await updateDeviceName(tx, sessionId, deviceName);
      await deps.outbox.add(tx, sessions.named, sessionId, { sessionId, userId, deviceName });
    });
    return reply(200, requireFound(named, 'session'));
  });
}

function revokingOne(deps: Deps): Route {
  return handle(deviceSessions.revokeMine, async (call) => {
    const { sessionId } = call.params;
    const { userId } = call.caller;
    let found: true | undefined;
    await everywhere(call, async (tx) => {
      if (!(await isSessionOf(tx, userId, sessionId))) return;
      found = true;
      await endSession(tx, deps.outbox, { sessionId, personId: userId }, 'revoked', deps.clock());
    });
    requireFound(found, 'session');
    return reply(204, null);
  });
}

function revokingMany(deps: Deps): Route {
  return handle(deviceSessions.revokeAllMine, async (call) => {
    const { userId, sessionId } = call.caller;
    const except = call.body.which === 'others' ? { except: sessionId } : {};
    const end = { personId: userId, reason: 'revoked', now: deps.clock(), ...except } as const;
    let ended = 0;
    await everywhere(call, async (tx) => {
      ended += await endSessionsOf(tx, deps.outbox, end);
    });
    return reply(200, { ended });
  });
}

function revokingOfMember({ outbox, clock }: Deps): Route {
  return handle(deviceSessions.revokeOfMember, (call) => {
    const { memberId: personId } = call.params;
    return call.inTenant(async (tx) => {
      requireFound((await wasMember(tx, personId)) || undefined, 'member');
      const ended = await endSessionsOf(tx, outbox, { personId, reason: 'revoked', now: clock() });
      return reply(200, { ended });
    });
  });
}

function toApiSession(
  { sessionId, organisationName, ...session }: LivingSession,
  organisationId: string,
  current: string,
): deviceSessions.DeviceSession {
  const organisation = { id: organisationId, name: organisationName };
  return { ...session, id: sessionId, organisation, current: sessionId === current };
}
