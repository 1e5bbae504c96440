import { sessions } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { lockAuthentication } from '../people/index.ts';
import { endAllBut, lockLiveSession, voidAll } from './all-sessions-store.ts';
import { endSession } from './sessions.ts';
import type { Session, SessionProof } from './store.ts';

/** Ends the sessions of everybody in the tenant of the transaction, but those of the people in `keep`. */
export async function endSessionsOfAllBut(
  tx: TenantTransaction,
  outbox: Outbox,
  keep: readonly string[],
  { reason, now }: { readonly reason: sessions.SessionEndReason; readonly now: Date },
): Promise<void> {
  const ended = await endAllBut(tx, { keep, reason, now });
  const events = ended.map(({ sessionId, personId }) => ({
    subject: sessionId,
    data: { sessionId, userId: personId, reason },
  }));
  await outbox.addAll(tx, sessions.ended, events);
}

/** Voids every access token of the organisation without ending a session; the next refresh brings what holds now. */
export async function voidAllAccessTokens(tx: TenantTransaction, now: Date): Promise<void> {
  await voidAll(tx, now);
}

/**
 * Ends a session whose person goes on in another organisation, and tells how they had proved who they are and when it
 * would have ended; undefined when it had ended before.
 */
export async function leaveSession(
  tx: TenantTransaction,
  outbox: Outbox,
  session: Session,
  now: Date,
): Promise<SessionProof | undefined> {
  await lockAuthentication(tx, session.personId);
  const proof = await lockLiveSession(tx, session, now);
  if (proof !== undefined) await endSession(tx, outbox, session, 'switch', now);
  return proof;
}
