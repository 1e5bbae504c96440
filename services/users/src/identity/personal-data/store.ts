import { personalData } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { emailKey } from '../people/index.ts';

export interface Known {
  readonly personId: string;
  readonly email: string;
}

type Membership = personalData.PersonalData['memberships'][number];

/** Where something may be kept of a person: where they were ever a member, or are invited now. */
export async function listTenantsKnowing(tx: Transaction, { personId, email }: Known): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    `select tenant_id as "tenantId" from known_in where person_id = $1
      union
     select tenant_id from mail_link where email_key = $2
      order by 1`,
    [personId, emailKey(email)],
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** The other organisations that ever knew a person. */
export async function listOtherTenantsKnowing(
  tx: Transaction,
  personId: string,
  tenantId: string,
): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    'select tenant_id as "tenantId" from known_in where person_id = $1 and tenant_id <> $2 order by tenant_id',
    [personId, tenantId],
  );
  return rows.map(({ tenantId: other }) => other);
}

export async function isErasedHere(tx: TenantTransaction, personId: string): Promise<boolean> {
  const found = await tx.first(
    'select from member where tenant_id = $1 and person_id = $2 and erased_at is not null',
    [tx.tenantId, personId],
  );
  return found !== undefined;
}

type AccountData = NonNullable<personalData.PersonalData['person']['account']>;

export function getAccountData(tx: Transaction, personId: string): Promise<AccountData | undefined> {
  return tx.first(
    `select email_verified_at as "emailVerifiedAt", language, time_zone as "timeZone",
              password_hash is not null as "hasPassword", last_seen_at as "lastSeenAt"
         from person
        where person_id = $1`,
    [personId],
  );
}

export function listSecondFactors(
  tx: Transaction,
  personId: string,
): Promise<personalData.PersonalData['secondFactors']> {
  return tx.rows(
    `select factor_id as id, kind, name, added_at as "addedAt", last_used_at as "lastUsedAt"
         from second_factor
        where person_id = $1
        order by begun_at, factor_id`,
    [personId],
  );
}

/** Of all organisations, or of the transaction's. */
export function listMail(
  tx: Transaction,
  { personId, email }: Known,
  tenantId: string | null,
): Promise<personalData.PersonalData['mail']> {
  return tx.rows(
    `select purpose, email, name, issued_at as "issuedAt", expires_at as "expiresAt", used_at as "usedAt"
         from mail_link
        where (person_id = $1 or email_key = $2) and ($3::uuid is null or tenant_id = $3)
        order by issued_at, link_id`,
    [personId, emailKey(email), tenantId],
  );
}

type MembershipSummary = Pick<Membership, 'organisation' | 'state' | 'joinedAt'>;

/** In the tenant of the transaction, as everything below. */
export function getMembershipSummary(
  tx: TenantTransaction,
  personId: string,
): Promise<MembershipSummary | undefined> {
  return tx.first(
    `select json_build_object('id', o.tenant_id, 'name', o.name) as organisation, m.state,
              m.joined_at as "joinedAt"
         from member m
         join organisation o on o.tenant_id = m.tenant_id
        where m.tenant_id = $1 and m.person_id = $2`,
    [tx.tenantId, personId],
  );
}

export function listPeriods(tx: TenantTransaction, personId: string): Promise<Membership['periods']> {
  return tx.rows(
    `select began_at as "from", ended_at as until from member_period
        where tenant_id = $1 and person_id = $2
        order by began_at`,
    [tx.tenantId, personId],
  );
}

export function listRoles(tx: TenantTransaction, personId: string): Promise<Membership['roles']> {
  return tx.rows(
    `select role, valid_from as "validFrom", valid_until as "validUntil", granted_at as "grantedAt",
              granted_by as "grantedBy", revoked_at as "revokedAt", revoked_by as "revokedBy"
         from role_assignment
        where tenant_id = $1 and person_id = $2
        order by granted_at, role, assignment_id`,
    [tx.tenantId, personId],
  );
}

export function listSessions(tx: TenantTransaction, personId: string): Promise<Membership['sessions']> {
  return tx.rows(
    `select session_id as id, client, device_name as "deviceName", address, methods, started_at as "startedAt",
              last_used_at as "lastUsedAt", authenticated_at as "authenticatedAt", ended_at as "endedAt",
              end_reason as "endReason"
         from session
        where tenant_id = $1 and person_id = $2
        order by started_at, session_id`,
    [tx.tenantId, personId],
  );
}

export function listLinkedAccounts(
  tx: TenantTransaction,
  personId: string,
): Promise<Membership['linkedAccounts']> {
  return tx.rows(
    `select p.name as provider, f.subject, f.linked_at as "linkedAt", f.last_used_at as "lastUsedAt"
         from federated_identity f
         join sign_in_provider p on p.tenant_id = f.tenant_id and p.provider_id = f.provider_id
        where f.tenant_id = $1 and f.person_id = $2
        order by f.linked_at, p.name, f.subject`,
    [tx.tenantId, personId],
  );
}

export function listInvitations(
  tx: TenantTransaction,
  email: string,
  now: Date,
): Promise<personalData.PersonalData['invitations']> {
  return tx.rows(
    `select json_build_object('id', o.tenant_id, 'name', o.name) as organisation, i.invitation_id as id, i.email,
              case when i.state = 'open' and i.expires_at <= $3 then 'expired' else i.state end as state,
              i.invited_at as "invitedAt"
         from invitation i
         join organisation o on o.tenant_id = i.tenant_id
        where i.tenant_id = $1 and i.email_key = $2
        order by i.invited_at, i.invitation_id`,
    [tx.tenantId, emailKey(email), now],
  );
}

/** What an address becomes that is no more; nobody can register it, it is none. */
function erasedAddress(personId: string): string {
  return `erased-${personId}@invalid`;
}

/**
 * Here nothing says any more who this person was; that there was a member, what they might do and did, stays under their
 * id. Answers kept for requests sent twice go too: for a day they repeat what they said.
 */
export async function eraseHere(tx: Transaction, { personId, email }: Known, now: Date): Promise<void> {
  const { tenantId } = tx;
  const mine = [tenantId, personId];
  await tx.run('delete from session where tenant_id = $1 and person_id = $2', mine);
  await tx.run('delete from federated_identity where tenant_id = $1 and person_id = $2', mine);
  await tx.run('update member set erased_at = $3 where tenant_id = $1 and person_id = $2', [...mine, now]);
  await tx.run(
    `update invitation
        set email = $4, email_key = $4, state = case when state = 'open' then 'revoked' else state end,
            ended_at = coalesce(ended_at, $3), ended_by = coalesce(ended_by, $2)
      where tenant_id = $1 and email_key = $5`,
    [...mine, now, erasedAddress(personId), emailKey(email)],
  );
  await tx.run(
    `delete from idempotency_key
      where tenant_id = $1 and (user_id = $2 or position($3 in lower(body::text)) > 0
          or position($4 in lower(body::text)) > 0)`,
    [...mine, email.toLowerCase(), emailKey(email)],
  );
}

/** The person themselves. The row stays, because the books and the audit refer to it. */
export async function eraseAccount(tx: Transaction, personId: string): Promise<void> {
  await tx.run(
    `update person
        set name = $2, email = $3, email_key = $3, email_verified_at = null, password_hash = null,
            time_zone = 'UTC', last_seen_at = 'epoch', version = version + 1
      where person_id = $1`,
    [personId, personalData.erasedName, erasedAddress(personId)],
  );
  await tx.run('delete from second_factor_standing where person_id = $1', [personId]);
  await tx.run('delete from registration where person_id = $1', [personId]);
}
