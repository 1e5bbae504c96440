import { accessTokens, credentials, type identity, organisations, sessions } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { getMembership, lockOrganisationShared } from '../../organisations/organisations/index.ts';
import type { PasswordHasher } from '../passwords/index.ts';
import type { KeyRing } from '../signing-keys/index.ts';
import type { KnownDevices } from './known-device.ts';
import type { SignInMetrics } from './metrics.ts';
import { passwordProof } from './password-proof.ts';
import { refreshSession } from './refresh.ts';
import { readRefreshToken } from './refresh-token.ts';
import { readRevocations } from './revocations.ts';
import type { SecondStep } from './second-step.ts';
import { actingAs, endSession, signedIn, startSession } from './sessions.ts';
import { lockPassword, lockSessionOfToken } from './store.ts';

export interface SessionParts {
  readonly hasher: PasswordHasher;
  readonly keys: KeyRing;
  /** Makes each refresh token's successor. */
  readonly refreshKey: Buffer;
  readonly metrics: SignInMetrics;
  readonly devices: KnownDevices;
  /** Asks who has a second factor for it. */
  readonly secondStep: SecondStep;
}

export function sessionRoutes(deps: Deps, parts: SessionParts): readonly Route[] {
  return [
    loginRoute(deps, parts),
    refreshRoute(deps, parts),
    logoutRoute(deps),
    handle(accessTokens.listRevocations, async ({ query }) =>
      reply(200, await readRevocations(deps, query.after)),
    ),
  ];
}

function loginRoute(deps: Deps, parts: SessionParts): Route {
  const { outbox, clock } = deps;
  const { keys, metrics, secondStep } = parts;
  const prove = passwordProof(deps, parts);

  return handle(sessions.login, async (call) => {
    const { personId, lastTenantId, passwordHash } = await prove(call.body, call);
    const now = clock();
    const methods = ['pwd'] as const;
    const started = await actingAs(lastTenantId, personId, () =>
      call.inTenantOf(lastTenantId, async (tx) => {
        await lockOrganisationShared(tx);
        // It may have been changed since it was looked at, and whoever knew the old one must not stay. Held before it is
        // read whether there is a second factor, so that none is added in between.
        if (!(await lockPassword(tx, personId, passwordHash))) throw new credentials.WrongCredentials({});
        const membership = await getMembership(tx, personId, now);
        if (membership === undefined) throw new organisations.NoActiveMembership({});
        if (membership.hasSecondFactor) return secondStep.ask(tx, { personId, methods, passwordHash, now });
        const { userAgent, address } = call;
        const start = { personId, methods, authenticatedAt: now, userAgent, address, now };
        const session = await startSession(tx, outbox, { ...start, method: 'password' });
        return { membership, session };
      }),
    );
    if ('challenge' in started) {
      metrics.attempts.inc({ outcome: 'second-factor-asked' });
      return reply(202, started);
    }
    metrics.attempts.inc({ outcome: 'success' });
    return reply(200, await issued(metrics, signedIn(keys, started.membership, started.session, now)));
  });
}

function refreshRoute(deps: Deps, { keys, refreshKey, metrics }: SessionParts): Route {
  return handle(sessions.refresh, async (call) => {
    const now = deps.clock();
    const presented = readRefreshToken(call.body.refreshToken);
    if (presented === undefined) throw new credentials.RefreshTokenRefused({});
    const outcome = await call.inTenantOf(presented.tenantId, (tx) =>
      refreshSession(tx, deps.outbox, { presented, refreshKey, userAgent: call.userAgent, now }),
    );
    // Thrown only now: the end of a copied session has to be committed.
    if (outcome.kind === 'refused') throw new credentials.RefreshTokenRefused({});
    if (outcome.kind === 'ended') {
      deps.log.warn('a used refresh token came again; its session is ended', {
        sessionId: outcome.sessionId,
      });
      throw new credentials.RefreshTokenRefused({});
    }
    return reply(200, await issued(metrics, signedIn(keys, outcome.membership, outcome.session, now)));
  });
}

function logoutRoute({ outbox, clock }: Deps): Route {
  return handle(sessions.logout, async (call) => {
    const presented = readRefreshToken(call.body.refreshToken);
    if (presented === undefined) return reply(204, null);
    await call.inTenantOf(presented.tenantId, async (tx) => {
      const session = await lockSessionOfToken(tx, presented.hash);
      if (session === undefined) return;
      await actingAs(presented.tenantId, session.personId, () =>
        endSession(tx, outbox, session, 'logout', clock()),
      );
    });
    return reply(204, null);
  });
}

async function issued(
  metrics: SignInMetrics,
  tokens: Promise<identity.SignedIn>,
): Promise<identity.SignedIn> {
  const answer = await tokens;
  metrics.tokens.inc({ type: 'access' });
  metrics.tokens.inc({ type: 'refresh' });
  return answer;
}
