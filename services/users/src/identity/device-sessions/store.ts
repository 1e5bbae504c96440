import type { accessTokens } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';

export interface LivingSession {
  readonly sessionId: string;
  readonly organisationName: string;
  readonly deviceName: string | null;
  readonly client: string;
  readonly address: string;
  readonly methods: accessTokens.AuthenticationMethod[];
  readonly startedAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

/** In the tenant of the transaction; all, or the one with this id. */
export function listLivingSessions(
  tx: TenantTransaction,
  { personId, sessionId, now }: { personId: string; sessionId?: string; now: Date },
): Promise<LivingSession[]> {
  return tx.rows(
    `select s.session_id as "sessionId", o.name as "organisationName", s.device_name as "deviceName", s.client,
            s.address, s.methods, s.started_at as "startedAt", s.last_used_at as "lastUsedAt",
            s.expires_at as "expiresAt"
       from session s
       join organisation o on o.tenant_id = s.tenant_id
      where s.tenant_id = $1 and s.person_id = $2 and s.ended_at is null and s.expires_at > $3
        and ($4::uuid is null or s.session_id = $4)
      order by s.last_used_at desc, s.session_id`,
    [tx.tenantId, personId, now, sessionId ?? null],
    'living_sessions',
  );
}

export async function updateDeviceName(
  tx: TenantTransaction,
  sessionId: string,
  deviceName: string,
): Promise<void> {
  await tx.run('update session set device_name = $3 where tenant_id = $1 and session_id = $2', [
    tx.tenantId,
    sessionId,
    deviceName,
  ]);
}

/** Whether there is such a session of this person, alive or over. */
export async function isSessionOf(
  tx: TenantTransaction,
  personId: string,
  sessionId: string,
): Promise<boolean> {
  const row = await tx.first(
    'select 1 from session where tenant_id = $1 and person_id = $2 and session_id = $3',
    [tx.tenantId, personId, sessionId],
  );
  return row !== undefined;
}

export async function wasMember(tx: TenantTransaction, personId: string): Promise<boolean> {
  const row = await tx.first('select 1 from member where tenant_id = $1 and person_id = $2', [
    tx.tenantId,
    personId,
  ]);
  return row !== undefined;
}
