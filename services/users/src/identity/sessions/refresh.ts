import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import {
  getMembership,
  lockOrganisationShared,
  type Membership,
} from '../../organisations/organisations/index.ts';
import { updatePresence } from '../people/index.ts';
import { type RefreshToken, successorOf } from './refresh-token.ts';
import { stepFor } from './rotation.ts';
import { actingAs, clientOf, endSession, type StartedSession } from './sessions.ts';
import { getToken, insertToken, lockSessionOfToken, updateLastUse, useToken } from './store.ts';

export interface PresentedToken {
  readonly presented: RefreshToken;
  readonly refreshKey: Buffer;
  readonly userAgent: string;
  readonly now: Date;
}

export type RefreshOutcome =
  | { readonly kind: 'continued'; readonly membership: Membership; readonly session: StartedSession }
  | { readonly kind: 'refused' }
  | { readonly kind: 'ended'; readonly sessionId: string };

/** Continues the session of a refresh token, or ends it when the token shows that it was copied. */
export async function refreshSession(
  tx: TenantTransaction,
  outbox: Outbox,
  { presented, refreshKey, userAgent, now }: PresentedToken,
): Promise<RefreshOutcome> {
  await lockOrganisationShared(tx);
  const session = await lockSessionOfToken(tx, presented.hash);
  if (session === undefined) return { kind: 'refused' };
  const { sessionId, personId, authenticatedAt, methods, expiresAt } = session;
  const successor = successorOf(presented, refreshKey);
  const client = clientOf(userAgent);

  const step = stepFor(await getToken(tx, presented.hash, successor.hash), client, now);
  if (step === 'refuse') return { kind: 'refused' };
  if (step === 'end') {
    await actingAs(presented.tenantId, personId, () => endSession(tx, outbox, session, 'replay', now));
    return { kind: 'ended', sessionId };
  }
  if (step === 'rotate') {
    await useToken(tx, presented.hash, client, now);
    await insertToken(tx, sessionId, successor.hash, now);
    await updateLastUse(tx, sessionId, now);
    await updatePresence(tx, personId, now);
  }
  const membership = await getMembership(tx, personId, now);
  if (membership === undefined) return { kind: 'refused' };
  return {
    kind: 'continued',
    membership,
    session: { sessionId, refreshToken: successor, authenticatedAt, methods, expiresAt },
  };
}
