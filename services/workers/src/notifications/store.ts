import type { notifications } from '@marimo/contracts/workers';
import type { TenantTransaction } from '@marimo/postgres';

export interface NewNotification {
  readonly notificationId: string;
  readonly personId: string;
  readonly key: notifications.Notification['key'];
  readonly params: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

export async function insertNotification(
  tx: TenantTransaction,
  notification: NewNotification,
): Promise<void> {
  const { notificationId, personId, key, params, createdAt } = notification;
  await tx.run(
    `insert into notification (tenant_id, person_id, notification_id, key, params, created_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [tx.tenantId, personId, notificationId, key, JSON.stringify(params), createdAt],
  );
}

const columns = `notification_id as id, key, params, created_at as "createdAt", read_at as "readAt"`;

interface NotificationFilter {
  readonly personId: string;
  readonly unreadOnly: boolean;
  readonly after: readonly [createdAt: Date, id: string] | undefined;
  readonly limit: number;
}

/** Newest first. */
export function listNotifications(
  tx: TenantTransaction,
  { personId, unreadOnly, after, limit }: NotificationFilter,
): Promise<notifications.Notification[]> {
  return tx.rows(
    `select ${columns}
       from notification
      where tenant_id = $1 and person_id = $2
        and (not $3 or read_at is null)
        and ($4::timestamptz is null or (created_at, notification_id) < ($4, $5::uuid))
      order by created_at desc, notification_id desc
      limit $6`,
    [tx.tenantId, personId, unreadOnly, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}

/** Undefined when this person has no such notification. */
export function markRead(
  tx: TenantTransaction,
  personId: string,
  notificationId: string,
  now: Date,
): Promise<notifications.Notification | undefined> {
  return tx.first(
    `update notification set read_at = coalesce(read_at, $4)
      where tenant_id = $1 and person_id = $2 and notification_id = $3
     returning ${columns}`,
    [tx.tenantId, personId, notificationId, now],
  );
}

export function markAllRead(tx: TenantTransaction, personId: string, now: Date): Promise<number> {
  return tx.run(
    'update notification set read_at = $3 where tenant_id = $1 and person_id = $2 and read_at is null',
    [tx.tenantId, personId, now],
  );
}

export async function deleteNotificationsOf(tx: TenantTransaction, personId: string): Promise<void> {
  await tx.run('delete from notification where tenant_id = $1 and person_id = $2', [tx.tenantId, personId]);
}
