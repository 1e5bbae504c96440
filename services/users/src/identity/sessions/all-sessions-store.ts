import type { sessions } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { Session, SessionProof } from './store.ts';

/**
 * Ends, and voids the access tokens of, every session of the organisation but those of some people. The date of a
 * revocation is that of `insertRevocation`.
 */
export function endAllBut(
  tx: TenantTransaction,
  { keep, reason, now }: { keep: readonly string[]; reason: sessions.SessionEndReason; now: Date },
): Promise<Session[]> {
  return tx.rows(
    `with ended as (
       update session set ended_at = $2, end_reason = $3
        where tenant_id = $1 and ended_at is null and expires_at > $2 and person_id <> all ($4::uuid[])
       returning session_id, person_id
     ), void as (
       insert into revocation (session_id, revoked_at)
       select session_id, $2::timestamptz + interval '5 minutes' from ended order by session_id
       on conflict (session_id) do update
          set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at), transaction_id = excluded.transaction_id
     )
     select session_id as "sessionId", person_id as "personId" from ended order by session_id`,
    [tx.tenantId, now, reason, keep],
  );
}

/** Of every session that is alive in the organisation. */
export async function voidAll(tx: TenantTransaction, now: Date): Promise<void> {
  await tx.run(
    `insert into revocation (session_id, revoked_at)
     select session_id, $2 from session
      where tenant_id = $1 and ended_at is null and expires_at > $2
      order by session_id
     on conflict (session_id) do update
        set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at), transaction_id = excluded.transaction_id`,
    [tx.tenantId, now],
  );
}

/** A person's session that is alive, ours alone until the end of the transaction. */
export function lockLiveSession(
  tx: TenantTransaction,
  { sessionId, personId }: Session,
  now: Date,
): Promise<SessionProof | undefined> {
  return tx.first(
    `select session_id as "sessionId", person_id as "personId", authenticated_at as "authenticatedAt", methods,
            expires_at as "expiresAt"
       from session
      where tenant_id = $1 and session_id = $2 and person_id = $3 and ended_at is null and expires_at > $4
        for update`,
    [tx.tenantId, sessionId, personId, now],
  );
}
