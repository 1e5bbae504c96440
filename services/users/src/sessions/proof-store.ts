import type { AuthenticationMethod } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

/** How this person signed in to this living session, ours alone until the end of the transaction. */
export async function lockLivingSession(
  tx: Transaction,
  { sessionId, personId }: { readonly sessionId: string; readonly personId: string },
  now: Date,
): Promise<readonly AuthenticationMethod[] | undefined> {
  const row = await tx.first<{ methods: AuthenticationMethod[] }>(
    `select methods from session
      where tenant_id = $1 and session_id = $2 and person_id = $3 and ended_at is null and expires_at > $4
        for update`,
    [tx.tenantId, sessionId, personId, now],
    'lock_living_session',
  );
  return row?.methods;
}

export async function keepProof(
  tx: Transaction,
  sessionId: string,
  { authenticatedAt, methods }: { authenticatedAt: Date; methods: readonly AuthenticationMethod[] },
): Promise<void> {
  await tx.run(
    'update session set authenticated_at = $3, methods = $4 where tenant_id = $1 and session_id = $2',
    [tx.tenantId, sessionId, authenticatedAt, methods],
    'keep_proof',
  );
}
