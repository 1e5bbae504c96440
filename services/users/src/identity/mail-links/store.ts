import { newId } from '@marimo/contracts';
import type { identity, mailLinks } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { emailKey } from '../people/index.ts';
import type { LinkPurpose } from './mail-links.ts';

export interface Recipient {
  readonly email: string;
  readonly name: string;
  readonly language: identity.Language;
}

interface Mail extends Recipient {
  /** The organisation in whose name it is written. */
  readonly tenantId: string;
  /** Null for who is only invited. */
  readonly personId: string | null;
  readonly expiresAt: Date;
  readonly now: Date;
}

export interface NewLink extends Mail {
  readonly purpose: LinkPurpose;
  /** What the link is about: the invitation, or the person. */
  readonly subjectId: string;
}

export interface PendingLink extends Recipient {
  readonly purpose: mailLinks.MailPurpose;
  readonly subjectId: string;
  readonly tenantId: string;
  readonly personId: string | null;
}

/** A link to be sent; replaces the one that was issued for the same purpose and subject. Gives its id. */
export function insertLink(tx: Transaction, link: NewLink): Promise<string> {
  return insertMail(tx, link);
}

/** A mail that only tells something. Gives the id the mail worker asks with. */
export function insertNotice(tx: Transaction, notice: Mail): Promise<string> {
  return insertMail(tx, { ...notice, purpose: 'notice', subjectId: newId() });
}

async function insertMail(
  tx: Transaction,
  link: Mail & { readonly purpose: mailLinks.MailPurpose; readonly subjectId: string },
): Promise<string> {
  const { purpose, subjectId, tenantId, personId, email, name, language, expiresAt, now } = link;
  const linkId = newId();
  await tx.run(
    `insert into mail_link (link_id, purpose, subject_id, tenant_id, person_id, email, email_key, name, language,
                            issued_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (purpose, subject_id) do update
        set link_id = excluded.link_id, tenant_id = excluded.tenant_id, person_id = excluded.person_id,
            email = excluded.email, email_key = excluded.email_key, name = excluded.name,
            language = excluded.language, issued_at = excluded.issued_at, expires_at = excluded.expires_at,
            used_at = null`,
    [
      linkId,
      purpose,
      subjectId,
      tenantId,
      personId,
      email.normalize('NFC'),
      emailKey(email),
      name,
      language,
      now,
      expiresAt,
    ],
  );
  return linkId;
}

const linkColumns = `purpose, subject_id as "subjectId", tenant_id as "tenantId", person_id as "personId", email, name,
  language`;

/** A link that can still be used. */
export function getLink(tx: Transaction, linkId: string, now: Date): Promise<PendingLink | undefined> {
  return tx.first(
    `select ${linkColumns} from mail_link where link_id = $1 and used_at is null and expires_at > $2`,
    [linkId, now],
  );
}

/** Uses a link up; undefined when it cannot be used, also for all but one of those who try at once. */
export function useLink(tx: Transaction, linkId: string, now: Date): Promise<PendingLink | undefined> {
  return tx.first(
    `update mail_link set used_at = $2
      where link_id = $1 and used_at is null and expires_at > $2
     returning ${linkColumns}`,
    [linkId, now],
  );
}

/** The link issued for this is dead, and its mail is not written any more. */
export async function deleteLink(tx: Transaction, purpose: LinkPurpose, subjectId: string): Promise<void> {
  await tx.run('delete from mail_link where purpose = $1 and subject_id = $2', [purpose, subjectId]);
}

/** All that is on its way to a person, or to a mailbox; of one organisation, where one is told. */
export async function deleteMailOf(
  tx: Transaction,
  { personId, email }: { readonly personId: string; readonly email: string },
  tenantId?: string,
): Promise<void> {
  await tx.run(
    'delete from mail_link where (person_id = $1 or email_key = $2) and ($3::uuid is null or tenant_id = $3)',
    [personId, emailKey(email), tenantId ?? null],
  );
}

export async function deleteLinksBefore(tx: Transaction, moment: Date): Promise<void> {
  await tx.run('delete from mail_link where expires_at <= $1', [moment]);
}
