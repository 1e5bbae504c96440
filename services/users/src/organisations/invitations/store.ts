import type { identity, invitations, members } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { emailKey } from '../../identity/people/index.ts';

/** `$2` is now. */
const columns = `invitation_id as id, email, roles, valid_until as "validUntil", language,
  case when state = 'open' and expires_at <= $2 then 'expired' else state end as state,
  invited_by as "invitedBy", invited_at as "invitedAt", expires_at as "expiresAt"`;

export interface NewInvitation {
  readonly id: string;
  readonly linkId: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly validUntil: Date | null;
  readonly language: identity.Language;
  readonly invitedBy: string;
  readonly expiresAt: Date;
}

export async function insertInvitation(
  tx: TenantTransaction,
  invitation: NewInvitation,
  now: Date,
): Promise<void> {
  const { id, linkId, email, roles, validUntil, language, invitedBy, expiresAt } = invitation;
  await tx.run(
    `insert into invitation (tenant_id, invitation_id, link_id, email, email_key, roles, valid_until, language,
                             invited_by, invited_at, mailed_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`,
    [
      tx.tenantId,
      id,
      linkId,
      email.normalize('NFC'),
      emailKey(email),
      roles,
      validUntil,
      language,
      invitedBy,
      now,
      expiresAt,
    ],
  );
}

/** Ours alone until the end of the transaction. */
export function lockInvitation(
  tx: TenantTransaction,
  id: string,
  now: Date,
): Promise<invitations.Invitation | undefined> {
  return tx.first(
    `select ${columns} from invitation where tenant_id = $1 and invitation_id = $3 for update`,
    [tx.tenantId, now, id],
  );
}

export function getInvitation(
  tx: TenantTransaction,
  id: string,
  now: Date,
): Promise<invitations.Invitation | undefined> {
  return tx.first(`select ${columns} from invitation where tenant_id = $1 and invitation_id = $3`, [
    tx.tenantId,
    now,
    id,
  ]);
}

/** The one that could still be accepted by this address, or has only run out. */
export async function lockOpenInvitation(tx: TenantTransaction, email: string): Promise<string | undefined> {
  const row = await tx.first<{ id: string }>(
    `select invitation_id as id from invitation
      where tenant_id = $1 and email_key = $2 and state = 'open'
        for update`,
    [tx.tenantId, emailKey(email)],
  );
  return row?.id;
}

/** How many others can be accepted. */
export async function countOpen(tx: TenantTransaction, exceptId: string, now: Date): Promise<number> {
  const row = await tx.first<{ open: number }>(
    `select count(*)::int as open from invitation
      where tenant_id = $1 and invitation_id <> $2 and state = 'open' and expires_at > $3`,
    [tx.tenantId, exceptId, now],
  );
  return row?.open ?? 0;
}

export async function endInvitation(
  tx: TenantTransaction,
  id: string,
  end: {
    readonly state: Exclude<invitations.InvitationState, 'open' | 'expired'>;
    readonly by: string;
    readonly now: Date;
  },
): Promise<void> {
  await tx.run(
    `update invitation set state = $3, ended_by = $4, ended_at = $5
      where tenant_id = $1 and invitation_id = $2 and state = 'open'`,
    [tx.tenantId, id, end.state, end.by, end.now],
  );
}

export async function updateMailed(
  tx: TenantTransaction,
  id: string,
  {
    linkId,
    by,
    expiresAt,
    now,
  }: { readonly linkId: string; readonly by: string; readonly expiresAt: Date; readonly now: Date },
): Promise<void> {
  await tx.run(
    `update invitation set link_id = $3, invited_by = $4, expires_at = $5, mailed_at = $6, mails = mails + 1
      where tenant_id = $1 and invitation_id = $2`,
    [tx.tenantId, id, linkId, by, expiresAt, now],
  );
}

/** When an invitation was last mailed to this address, whatever became of it since. */
export async function getLastMailTo(
  tx: TenantTransaction,
  email: string,
  since: Date,
): Promise<Date | undefined> {
  const row = await tx.first<{ mailedAt: Date | null }>(
    `select max(mailed_at) as "mailedAt" from invitation
      where tenant_id = $1 and email_key = $2 and mailed_at > $3`,
    [tx.tenantId, emailKey(email), since],
  );
  return row?.mailedAt ?? undefined;
}

/** Mails of all invitations that were last mailed since. */
export async function countMailsSince(tx: TenantTransaction, since: Date): Promise<number> {
  const row = await tx.first<{ mails: number }>(
    'select coalesce(sum(mails), 0)::int as mails from invitation where tenant_id = $1 and mailed_at > $2',
    [tx.tenantId, since],
  );
  return row?.mails ?? 0;
}

/** Newest first. */
export function listInvitations(
  tx: TenantTransaction,
  filter: {
    readonly state: invitations.InvitationState | undefined;
    readonly after: readonly [invitedAt: Date, id: string] | undefined;
    readonly limit: number;
  },
  now: Date,
): Promise<invitations.Invitation[]> {
  const { state, after: [invitedAt, id] = [], limit } = filter;
  return tx.rows(
    `select * from (select ${columns} from invitation where tenant_id = $1) as each
      where ($3::text is null or state = $3)
        and ($4::timestamptz is null or ("invitedAt", id) < ($4, $5::uuid))
      order by "invitedAt" desc, id desc
      limit $6`,
    [tx.tenantId, now, state ?? null, invitedAt ?? null, id ?? null, limit],
  );
}

/** What somebody with this address is here already. */
export async function getMemberState(
  tx: TenantTransaction,
  email: string,
): Promise<members.MemberState | undefined> {
  const row = await tx.first<{ state: members.MemberState }>(
    `select m.state from member m join person p on p.person_id = m.person_id
      where m.tenant_id = $1 and p.email_key = $2`,
    [tx.tenantId, emailKey(email)],
  );
  return row?.state;
}

export async function hasEmail(tx: Transaction, personId: string, email: string): Promise<boolean> {
  const found = await tx.first('select from person where person_id = $1 and email_key = $2', [
    personId,
    emailKey(email),
  ]);
  return found !== undefined;
}

/** Who invited, by name, whether a member or a service account; undefined for who may not act here any more. */
export async function getInviterName(tx: TenantTransaction, inviterId: string): Promise<string | undefined> {
  const row = await tx.first<{ name: string }>(
    `select p.name from member m join person p on p.person_id = m.person_id
      where m.tenant_id = $1 and m.person_id = $2 and m.state = 'active'
     union all
     select name from service_account where tenant_id = $1 and account_id = $2 and disabled_at is null`,
    [tx.tenantId, inviterId],
  );
  return row?.name;
}
