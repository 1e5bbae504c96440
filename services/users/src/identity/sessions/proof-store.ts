import type { accessTokens } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';

/** How this person signed in to this living session, and when it ends; ours alone until the end of the transaction. */
export async function lockLivingSession(
  tx: TenantTransaction,
  { sessionId, personId }: { readonly sessionId: string; readonly personId: string },
  now: Date,
): Promise<
  { readonly methods: readonly accessTokens.AuthenticationMethod[]; readonly expiresAt: Date } | undefined
> {
  return tx.first(
    `select methods, expires_at as "expiresAt" from session
      where tenant_id = $1 and session_id = $2 and person_id = $3 and ended_at is null and expires_at > $4
        for update`,
    [tx.tenantId, sessionId, personId, now],
    'lock_living_session',
  );
}

export async function updateProof(
  tx: TenantTransaction,
  sessionId: string,
  {
    authenticatedAt,
    methods,
  }: { authenticatedAt: Date; methods: readonly accessTokens.AuthenticationMethod[] },
): Promise<void> {
  await tx.run(
    'update session set authenticated_at = $3, methods = $4 where tenant_id = $1 and session_id = $2',
    [tx.tenantId, sessionId, authenticatedAt, methods],
    'keep_proof',
  );
}

/** Whether a person has no password and belongs to this organisation and no other; and stays so meanwhile. */
export async function isProviderAlone(tx: Transaction, personId: string, tenantId: string): Promise<boolean> {
  const row = await tx.first(
    `select from person p
      where p.person_id = $1 and p.password_hash is null
        and not exists (select from workplace w where w.person_id = p.person_id and w.tenant_id <> $2)
        for update`,
    [personId, tenantId],
    'is_provider_alone',
  );
  return row !== undefined;
}
