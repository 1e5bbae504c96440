import type { emails } from '@marimo/contracts/workers';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import type { Letter } from './templates/letter.ts';

export interface NewEmail extends Letter {
  readonly emailId: string;
  readonly kind: emails.Email['kind'];
  /** Whose mailbox it is; null for who is only invited. */
  readonly personId: string | null;
  readonly recipient: string;
  readonly recipientName: string;
  readonly createdAt: Date;
}

export async function queueEmail(tx: TenantTransaction, email: NewEmail): Promise<void> {
  const { emailId, kind, personId, recipient, recipientName, subject, text, html, createdAt } = email;
  await tx.run(
    `insert into email (tenant_id, email_id, kind, person_id, recipient, recipient_name, subject, text_body,
                        html_body, created_at, next_attempt_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
    [tx.tenantId, emailId, kind, personId, recipient, recipientName, subject, text, html, createdAt],
  );
  await tx.run('insert into email_due (tenant_id, email_id, due_at) values ($1, $2, $3)', [
    tx.tenantId,
    emailId,
    createdAt,
  ]);
}

export interface DueEmail {
  readonly tenantId: string;
  readonly emailId: string;
}

/** Takes mail that is due; it is due again at `until`, unless it is settled before. */
export function takeDue(tx: Transaction, now: Date, until: Date, limit: number): Promise<DueEmail[]> {
  return tx.rows(
    `update email_due set due_at = $2
      where (tenant_id, email_id) in (
              select tenant_id, email_id from email_due
               where due_at <= $1 order by due_at limit $3 for update skip locked)
     returning tenant_id as "tenantId", email_id as "emailId"`,
    [now, until, limit],
    'take_due_email',
  );
}

export interface EmailToSend extends Letter {
  readonly emailId: string;
  readonly recipient: string;
  readonly recipientName: string;
  readonly attempts: number;
  readonly createdAt: Date;
}

export function getWaitingEmail(tx: TenantTransaction, emailId: string): Promise<EmailToSend | undefined> {
  return tx.first(
    `select email_id as "emailId", recipient, recipient_name as "recipientName", subject, text_body as text,
            html_body as html, attempts, created_at as "createdAt"
       from email
      where tenant_id = $1 and email_id = $2 and state = 'waiting'`,
    [tx.tenantId, emailId],
    'waiting_email',
  );
}

/** What it said is kept no longer: a link in it opens an account. */
export async function updateSent(tx: TenantTransaction, emailId: string, now: Date): Promise<void> {
  await tx.run(
    `update email
        set state = 'sent', sent_at = $3, next_attempt_at = null, attempts = attempts + 1, text_body = '', html_body = ''
      where tenant_id = $1 and email_id = $2 and state = 'waiting'`,
    [tx.tenantId, emailId, now],
    'mark_email_sent',
  );
  await settle(tx, emailId);
}

/** Without a next attempt the mail is given up, and what it said is kept no longer. */
export async function updateFailed(
  tx: TenantTransaction,
  emailId: string,
  failure: string,
  nextAttemptAt: Date | null,
): Promise<void> {
  await tx.run(
    `update email
        set attempts = attempts + 1, last_failure = $3, next_attempt_at = $4,
            state = case when $4::timestamptz is null then 'given-up' else 'waiting' end,
            text_body = case when $4::timestamptz is null then '' else text_body end,
            html_body = case when $4::timestamptz is null then '' else html_body end
      where tenant_id = $1 and email_id = $2 and state = 'waiting'`,
    [tx.tenantId, emailId, failure, nextAttemptAt],
  );
  if (nextAttemptAt === null) await settle(tx, emailId);
  else {
    await tx.run('update email_due set due_at = $3 where tenant_id = $1 and email_id = $2', [
      tx.tenantId,
      emailId,
      nextAttemptAt,
    ]);
  }
}

/** It is not due any more; the last mail to somebody who was erased goes as they did. */
async function settle(tx: TenantTransaction, emailId: string): Promise<void> {
  await tx.run('delete from email_due where tenant_id = $1 and email_id = $2', [tx.tenantId, emailId]);
  await tx.run(
    `update email set ${blank} where tenant_id = $1 and email_id = $2 and kind = 'erased'`,
    [tx.tenantId, emailId],
    'forget_farewell',
  );
}

/** That there was a mail, of which kind and when, stays; to whom and what it said goes. */
const blank = `recipient = '', recipient_name = '', subject = '', text_body = '', html_body = '', last_failure = null`;

/** All mail to a person, and to a mailbox. What was not sent yet is not sent any more. */
export async function forgetMailOf(
  tx: TenantTransaction,
  personId: string,
  recipient: string | null,
): Promise<void> {
  const forgotten = await tx.rows<{ emailId: string }>(
    `update email
        set ${blank}, next_attempt_at = null, state = case when state = 'waiting' then 'given-up' else state end
      where tenant_id = $1 and (person_id = $2 or lower(recipient) = lower($3))
     returning email_id as "emailId"`,
    [tx.tenantId, personId, recipient],
  );
  await tx.run('delete from email_due where tenant_id = $1 and email_id = any ($2::uuid[])', [
    tx.tenantId,
    forgotten.map(({ emailId }) => emailId),
  ]);
}

/** Newest first; `after` is the last one of the page before. */
export function listEmails(
  tx: TenantTransaction,
  filter: {
    readonly state: emails.EmailState | undefined;
    readonly after: readonly [createdAt: Date, id: string] | undefined;
    readonly limit: number;
  },
): Promise<emails.Email[]> {
  const { state, after: [createdAt, id] = [], limit } = filter;
  return tx.rows(
    `select email_id as id, kind, recipient as "to", subject, state, attempts, created_at as "createdAt",
            sent_at as "sentAt", next_attempt_at as "nextAttemptAt", last_failure as "lastFailure"
       from email
      where tenant_id = $1
        and ($2::text is null or state = $2)
        and ($3::timestamptz is null or (created_at, email_id) < ($3, $4::uuid))
      order by created_at desc, email_id desc
      limit $5`,
    [tx.tenantId, state ?? null, createdAt ?? null, id ?? null, limit],
  );
}
