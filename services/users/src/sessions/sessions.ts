import { createHash } from 'node:crypto';
import { newId } from '@marimo/contracts';
import {
  accessToken,
  type SessionEndReason,
  type SignedIn,
  sessionEnded,
  sessionStarted,
} from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import { currentContext, runInContext } from '@marimo/observability';
import type { Transaction } from '@marimo/postgres';
import { type Membership, notePresence } from '../organisations/index.ts';
import { issueAccessToken, type TokenSigner } from '../signing-keys/index.ts';
import { newRefreshToken, type RefreshToken } from './refresh-token.ts';
import { sessionLifeMs } from './rotation.ts';
import {
  deleteExpiredSessions,
  insertRevocation,
  insertSession,
  insertToken,
  markEnded,
  type Session,
} from './store.ts';

export interface StartedSession {
  readonly sessionId: string;
  readonly refreshToken: RefreshToken;
}

interface Start {
  readonly personId: string;
  readonly method: 'registration' | 'password';
  /** What the program that signs in calls itself. */
  readonly userAgent: string;
  readonly now: Date;
}

/** Begins a session in the tenant of the transaction. */
export async function startSession(tx: Transaction, outbox: Outbox, start: Start): Promise<StartedSession> {
  const { personId, method, userAgent, now } = start;
  const refreshToken = newRefreshToken(tenantOf(tx));
  const sessionId = newId();
  await deleteExpiredSessions(tx, personId, now);
  await insertSession(tx, {
    sessionId,
    personId,
    client: userAgent.slice(0, 200),
    startedAt: now,
    expiresAt: new Date(now.getTime() + sessionLifeMs),
  });
  await insertToken(tx, sessionId, refreshToken.hash, now);
  await notePresence(tx, personId, now);
  await outbox.add(tx, sessionStarted, sessionId, { sessionId, userId: personId, method });
  return { sessionId, refreshToken };
}

/** Ends a session and voids its access tokens everywhere within seconds; one that has ended stays as it is. */
export async function endSession(
  tx: Transaction,
  outbox: Outbox,
  { sessionId, personId }: Session,
  reason: SessionEndReason,
  now: Date,
): Promise<void> {
  if (!(await markEnded(tx, sessionId, reason, now))) return;
  await insertRevocation(tx, sessionId, now);
  await outbox.add(tx, sessionEnded, sessionId, { sessionId, userId: personId, reason });
}

/** What a client gets that has signed in or refreshed. */
export async function signedIn(
  signer: TokenSigner,
  { user, organisation, roles, rolesVersion }: Membership,
  { sessionId, refreshToken }: StartedSession,
  now: Date,
): Promise<SignedIn> {
  const token = await issueAccessToken(
    signer,
    { userId: user.id, tenantId: organisation.id, sessionId, roles, rolesVersion },
    now,
  );
  return {
    accessToken: token,
    refreshToken: refreshToken.text,
    expiresIn: accessToken.lifetimeSeconds,
    tokenType: 'Bearer',
    user,
    organisation,
  };
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

function tenantOf(tx: Transaction): string {
  if (tx.tenantId === null) throw new Error('A session belongs to a tenant');
  return tx.tenantId;
}
