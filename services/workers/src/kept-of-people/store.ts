import type { personalRecords } from '@marimo/contracts/workers';
import type { Transaction } from '@marimo/postgres';

type Json<T> = { readonly [K in keyof T]: unknown };

/** Rows as they go over the wire: instants as text. */
async function told<T>(rows: Promise<Json<T>[]>): Promise<T[]> {
  return JSON.parse(JSON.stringify(await rows)) as T[];
}

export function emailsKept(
  tx: Transaction,
  personId: string,
  email: string | null,
): Promise<personalRecords.KeptOfPerson['emails']> {
  return told(
    tx.rows(
      `select email_id as id, kind, recipient as "to", subject, created_at as "createdAt", sent_at as "sentAt"
         from email
        where tenant_id = $1 and (person_id = $2 or lower(recipient) = lower($3))
        order by created_at, email_id`,
      [tx.tenantId, personId, email],
    ),
  );
}

export function notificationsKept(
  tx: Transaction,
  personId: string,
): Promise<personalRecords.KeptOfPerson['notifications']> {
  return told(
    tx.rows(
      `select notification_id as id, key, params, created_at as "createdAt", read_at as "readAt"
         from notification
        where tenant_id = $1 and person_id = $2
        order by created_at, notification_id`,
      [tx.tenantId, personId],
    ),
  );
}
