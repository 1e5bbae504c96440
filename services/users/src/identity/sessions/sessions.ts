import { createHash } from 'node:crypto';
import { newId } from '@marimo/contracts';
import { type accessTokens, type identity, sessions } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import { currentContext, runInContext } from '@marimo/observability';
import type { TenantTransaction } from '@marimo/postgres';
import { type Membership, rightsFor, rightsInState } from '../../organisations/organisations/index.ts';
import { lockAuthentication, updatePresence } from '../people/index.ts';
import { type IssuedToken, issueAccessToken, type TokenSigner } from '../signing-keys/index.ts';
import { newRefreshToken, type RefreshToken } from './refresh-token.ts';
import { sessionLifeMs } from './rotation.ts';
import {
  deleteExpiredSessions,
  insertRevocation,
  insertRevocations,
  insertSession,
  insertToken,
  type Session,
  updateAllEnded,
  updateEnded,
} from './store.ts';

/** A session that goes on. */
export interface AuthenticatedSession extends ProofOfIdentity {
  readonly sessionId: string;
  /** Nothing of it outlives this. */
  readonly expiresAt: Date;
}

export interface StartedSession extends AuthenticatedSession {
  readonly refreshToken: RefreshToken;
}

/** When and how the person proved who they are. */
export interface ProofOfIdentity {
  readonly authenticatedAt: Date;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
}

interface Start extends ProofOfIdentity {
  readonly personId: string;
  readonly method: sessions.SignInMethod;
  /** What the program that signs in calls itself, and where it is. */
  readonly userAgent: string;
  readonly address: string;
  /** When the session ended that this one goes on from; seven days from now for a sign-in. */
  readonly expiresAt?: Date;
  readonly now: Date;
}

/** Begins a session in the tenant of the transaction. */
export async function startSession(
  tx: TenantTransaction,
  outbox: Outbox,
  start: Start,
): Promise<StartedSession> {
  const { personId, method, methods, authenticatedAt, userAgent, address, now } = start;
  const refreshToken = newRefreshToken(tx.tenantId);
  const sessionId = newId();
  const { expiresAt = new Date(now.getTime() + sessionLifeMs) } = start;
  await lockAuthentication(tx, personId);
  await deleteExpiredSessions(tx, personId, now);
  await insertSession(tx, {
    sessionId,
    personId,
    client: userAgent.slice(0, 200),
    address: address.slice(0, 100),
    authenticatedAt,
    methods,
    startedAt: now,
    expiresAt,
  });
  await insertToken(tx, sessionId, refreshToken.hash, now);
  await updatePresence(tx, personId, now);
  await outbox.add(tx, sessions.started, sessionId, {
    sessionId,
    userId: personId,
    method,
    methods: [...methods],
  });
  return { sessionId, refreshToken, authenticatedAt, methods, expiresAt };
}

/** Ends a session and voids its access tokens everywhere within seconds; one that has ended stays as it is. */
export async function endSession(
  tx: TenantTransaction,
  outbox: Outbox,
  { sessionId, personId }: Session,
  reason: sessions.SessionEndReason,
  now: Date,
): Promise<void> {
  if (!(await updateEnded(tx, sessionId, reason, now))) return;
  await insertRevocation(tx, sessionId, now);
  await outbox.add(tx, sessions.ended, sessionId, { sessionId, userId: personId, reason });
}

export interface EndOfSessions {
  readonly personId: string;
  readonly reason: sessions.SessionEndReason;
  /** The session that goes on: the one the person asks from. */
  readonly except?: string;
  readonly now: Date;
}

/** Ends the sessions of a person in the tenant of the transaction; tells how many there were. */
export async function endSessionsOf(
  tx: TenantTransaction,
  outbox: Outbox,
  { personId, reason, except, now }: EndOfSessions,
): Promise<number> {
  const ended = await updateAllEnded(tx, { personId, reason, except: except ?? null, now });
  for (const sessionId of ended) {
    await insertRevocation(tx, sessionId, now);
    await outbox.add(tx, sessions.ended, sessionId, { sessionId, userId: personId, reason });
  }
  return ended.length;
}

/** What a client gets that has signed in or refreshed. */
export async function signedIn(
  signer: TokenSigner,
  membership: Membership,
  session: StartedSession,
  now: Date,
): Promise<identity.SignedIn> {
  const { user, organisation } = membership;
  const { token, expiresIn } = await issueFor(signer, membership, session, now);
  return {
    accessToken: token,
    refreshToken: session.refreshToken.text,
    expiresIn,
    tokenType: 'Bearer',
    user,
    organisation,
  };
}

/** An access token of a session, with the rights its person has now. */
export function issueFor(
  signer: TokenSigner,
  membership: Membership,
  { sessionId, authenticatedAt, methods, expiresAt }: AuthenticatedSession,
  now: Date,
): Promise<IssuedToken> {
  const { user, organisation, rolesVersion, rightsChangeAt } = membership;
  const { roles, grants } = rightsInState(rightsFor(membership, methods), organisation.state);
  return issueAccessToken(
    signer,
    {
      userId: user.id,
      tenantId: organisation.id,
      sessionId,
      roles,
      grants,
      rolesVersion,
      authenticatedAt,
      methods,
      // What ends all sessions of somebody finds none that is over, and its tokens must not be alive then.
      rightsChangeAt: rightsChangeAt !== null && rightsChangeAt < expiresAt ? rightsChangeAt : expiresAt,
    },
    now,
  );
}

/**
 * Voids the access tokens a person holds in this organisation, without ending a session: their rights have changed, and
 * the next refresh brings the new ones.
 */
export async function voidAccessTokens(tx: TenantTransaction, personId: string, now: Date): Promise<void> {
  await insertRevocations(tx, personId, now);
}

/** Before sign-in no token says who acts; from here on logs and events do. */
export function actingAs<T>(tenantId: string, personId: string, work: () => T): T {
  const requestId = currentContext()?.requestId ?? newId();
  return runInContext({ requestId, tenantId, actorId: personId }, work);
}

/** Only recognises the client again within seconds; it is no proof of who it is. */
export function clientOf(userAgent: string): Buffer {
  return createHash('sha256').update(userAgent).digest();
}
