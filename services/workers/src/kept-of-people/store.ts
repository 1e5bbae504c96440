import type { personalRecords } from '@marimo/contracts/workers';
import type { TenantTransaction } from '@marimo/postgres';

export function listKeptEmails(
  tx: TenantTransaction,
  personId: string,
  email: string | null,
): Promise<personalRecords.KeptOfPerson['emails']> {
  return tx.rows(
    `select email_id as id, kind, recipient as "to", subject, created_at as "createdAt", sent_at as "sentAt"
         from email
        where tenant_id = $1 and (person_id = $2 or lower(recipient) = lower($3))
        order by created_at, email_id`,
    [tx.tenantId, personId, email],
  );
}

export function listKeptNotifications(
  tx: TenantTransaction,
  personId: string,
): Promise<personalRecords.KeptOfPerson['notifications']> {
  return tx.rows(
    `select notification_id as id, key, params, created_at as "createdAt", read_at as "readAt"
         from notification
        where tenant_id = $1 and person_id = $2
        order by created_at, notification_id`,
    [tx.tenantId, personId],
  );
}
