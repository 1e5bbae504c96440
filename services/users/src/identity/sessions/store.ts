import type { accessTokens, sessions } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import type { KnownToken } from './rotation.ts';

export interface Session {
  readonly sessionId: string;
  readonly personId: string;
}

export interface SessionProof extends Session {
  readonly authenticatedAt: Date;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  readonly expiresAt: Date;
}

interface NewSession extends Session {
  readonly client: string;
  readonly address: string;
  readonly authenticatedAt: Date;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  readonly startedAt: Date;
  readonly expiresAt: Date;
}

export async function insertSession(tx: TenantTransaction, session: NewSession): Promise<void> {
  const { sessionId, personId, client, address, authenticatedAt, methods, startedAt, expiresAt } = session;
  await tx.run(
    `insert into session (tenant_id, session_id, person_id, client, address, authenticated_at, methods, started_at,
                          last_used_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
    [tx.tenantId, sessionId, personId, client, address, authenticatedAt, methods, startedAt, expiresAt],
    'insert_session',
  );
}

/** False when it is another by now; else nobody changes it until the end of the transaction. */
export async function lockPassword(
  tx: Transaction,
  personId: string,
  passwordHash: string | null,
): Promise<boolean> {
  const held = await tx.first(
    'select from person where person_id = $1 and password_hash = $2 for no key update',
    [personId, passwordHash],
    'hold_password',
  );
  return held !== undefined;
}

/** Sessions of this person whose tokens could not be used any more anyway, tokens included. */
export async function deleteExpiredSessions(
  tx: TenantTransaction,
  personId: string,
  now: Date,
): Promise<void> {
  await tx.run(
    'delete from session where tenant_id = $1 and person_id = $2 and expires_at <= $3',
    [tx.tenantId, personId, now],
    'delete_expired_sessions',
  );
}

export async function insertToken(
  tx: TenantTransaction,
  sessionId: string,
  hash: Buffer,
  now: Date,
): Promise<void> {
  await tx.run(
    'insert into refresh_token (tenant_id, token_hash, session_id, issued_at) values ($1, $2, $3, $4)',
    [tx.tenantId, hash, sessionId, now],
    'insert_refresh_token',
  );
}

/** The session this token belongs to, ours alone until the end of the transaction. */
export function lockSessionOfToken(
  tx: TenantTransaction,
  tokenHash: Buffer,
): Promise<SessionProof | undefined> {
  return tx.first(
    `select s.session_id as "sessionId", s.person_id as "personId", s.authenticated_at as "authenticatedAt", s.methods,
            s.expires_at as "expiresAt"
       from refresh_token t
       join session s on s.tenant_id = t.tenant_id and s.session_id = t.session_id
      where t.tenant_id = $1 and t.token_hash = $2
        for update of s`,
    [tx.tenantId, tokenHash],
    'lock_session_of_token',
  );
}

/**
 * The state of a token. A statement of its own, after the lock: joined into the locking one it would be read as it was
 * before we had to wait.
 */
export function getToken(
  tx: TenantTransaction,
  tokenHash: Buffer,
  successorHash: Buffer,
): Promise<KnownToken | undefined> {
  return tx.first(
    `select s.ended_at as "endedAt", s.expires_at as "expiresAt", t.used_at as "usedAt", t.used_by as "usedBy",
            n.token_hash is not null and n.used_at is null as "successorUnused"
       from refresh_token t
       join session s on s.tenant_id = t.tenant_id and s.session_id = t.session_id
       left join refresh_token n on n.tenant_id = t.tenant_id and n.token_hash = $3
      where t.tenant_id = $1 and t.token_hash = $2`,
    [tx.tenantId, tokenHash, successorHash],
    'read_refresh_token',
  );
}

export async function useToken(
  tx: TenantTransaction,
  tokenHash: Buffer,
  client: Buffer,
  now: Date,
): Promise<void> {
  await tx.run(
    'update refresh_token set used_at = $3, used_by = $4 where tenant_id = $1 and token_hash = $2',
    [tx.tenantId, tokenHash, now, client],
    'use_refresh_token',
  );
}

export async function updateLastUse(tx: TenantTransaction, sessionId: string, now: Date): Promise<void> {
  await tx.run(
    'update session set last_used_at = $3 where tenant_id = $1 and session_id = $2',
    [tx.tenantId, sessionId, now],
    'note_session_use',
  );
}

/** False when it had ended, or expired, before. */
export async function updateEnded(
  tx: TenantTransaction,
  sessionId: string,
  reason: sessions.SessionEndReason,
  now: Date,
): Promise<boolean> {
  const ended = await tx.run(
    `update session set ended_at = $3, end_reason = $4
      where tenant_id = $1 and session_id = $2 and ended_at is null and expires_at > $3`,
    [tx.tenantId, sessionId, now, reason],
  );
  return ended === 1;
}

/** The sessions it ended. */
export async function updateAllEnded(
  tx: TenantTransaction,
  {
    personId,
    reason,
    except,
    now,
  }: { personId: string; reason: sessions.SessionEndReason; except: string | null; now: Date },
): Promise<string[]> {
  const rows = await tx.rows<{ sessionId: string }>(
    `update session set ended_at = $3, end_reason = $4
      where tenant_id = $1 and person_id = $2 and ended_at is null and expires_at > $3
        and session_id is distinct from $5
     returning session_id as "sessionId"`,
    [tx.tenantId, personId, now, reason, except],
  );
  return rows.map(({ sessionId }) => sessionId).sort();
}

/**
 * Of a session that is over. It makes no token any more, so the date may lie ahead: a token of an instance whose clock
 * is ahead, or one that is being made while the session ends, is void too.
 */
export async function insertRevocation(tx: Transaction, sessionId: string, now: Date): Promise<void> {
  await tx.run(
    `insert into revocation (session_id, revoked_at) values ($1, $2::timestamptz + interval '5 minutes')
     on conflict (session_id) do update
        set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at), transaction_id = excluded.transaction_id`,
    [sessionId, now],
  );
}

/** Every session of this person that is alive in this organisation. */
export async function insertRevocations(tx: TenantTransaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `insert into revocation (session_id, revoked_at)
     select session_id, $3 from session
      where tenant_id = $1 and person_id = $2 and ended_at is null and expires_at > $3
      order by session_id
     on conflict (session_id) do update
        set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at), transaction_id = excluded.transaction_id`,
    [tx.tenantId, personId, now],
  );
}

export interface RevocationPage {
  readonly items: accessTokens.Revocation[];
  readonly next: string;
}

/**
 * What was revoked by transactions that had not ended when `after` was made, whenever they began: `after` is the oldest
 * transaction that was running then. It moves only when there is something to report, so that who has everything can
 * tell. One from the future is of another database and counts as none.
 */
export async function listRevocations(tx: Transaction, after: string, since: Date): Promise<RevocationPage> {
  const page = await tx.first<{ items: { sessionId: string; revokedAt: string }[]; next: string }>(
    `with asked as (
       select case when $1::xid8 <= pg_snapshot_xmax(pg_current_snapshot()) then $1::xid8 else '0'::xid8 end as xid
     ), found as (
       select session_id, revoked_at from revocation, asked where transaction_id >= asked.xid and revoked_at > $2
     )
     select coalesce(json_agg(json_build_object('sessionId', session_id, 'revokedAt', revoked_at)
                              order by revoked_at), '[]') as items,
            case when count(*) = 0 then (select xid from asked)
                 else pg_snapshot_xmin(pg_current_snapshot()) end::text as next
       from found`,
    [after, since],
    'revocations_after',
  );
  if (page === undefined) return { items: [], next: '0' };
  return { ...page, items: page.items.map((each) => ({ ...each, revokedAt: new Date(each.revokedAt) })) };
}

export async function deleteRevocationsBefore(tx: Transaction, moment: Date): Promise<void> {
  await tx.run('delete from revocation where revoked_at < $1', [moment]);
}
