import type { notifications } from '@marimo/contracts/workers';
import type { Transaction } from '@marimo/postgres';

export interface NewNotification {
  readonly notificationId: string;
  readonly personId: string;
  readonly key: notifications.Notification['key'];
  readonly params: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

export async function insertNotification(tx: Transaction, notification: NewNotification): Promise<void> {
  const { notificationId, personId, key, params, createdAt } = notification;
  await tx.run(
    `insert into notification (tenant_id, person_id, notification_id, key, params, created_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [tx.tenantId, personId, notificationId, key, JSON.stringify(params), createdAt],
  );
}

interface NotificationRow extends Omit<notifications.Notification, 'createdAt' | 'readAt'> {
  readonly createdAt: Date;
  readonly readAt: Date | null;
}

const columns = `notification_id as id, key, params, created_at as "createdAt", read_at as "readAt"`;

export interface NotificationPosition {
  readonly createdAt: string;
  readonly id: string;
}

interface NotificationFilter {
  readonly unreadOnly: boolean;
  readonly before: NotificationPosition | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function notificationsBefore(
  tx: Transaction,
  personId: string,
  { unreadOnly, before, limit }: NotificationFilter,
): Promise<notifications.Notification[]> {
  const rows = await tx.rows<NotificationRow>(
    `select ${columns}
       from notification
      where tenant_id = $1 and person_id = $2
        and (not $3 or read_at is null)
        and ($4::timestamptz is null or (created_at, notification_id) < ($4, $5::uuid))
      order by created_at desc, notification_id desc
      limit $6`,
    [tx.tenantId, personId, unreadOnly, before?.createdAt ?? null, before?.id ?? null, limit],
  );
  return rows.map(shown);
}

/** Undefined when this person has no such notification. */
export async function markRead(
  tx: Transaction,
  personId: string,
  notificationId: string,
  now: Date,
): Promise<notifications.Notification | undefined> {
  const row = await tx.first<NotificationRow>(
    `update notification set read_at = coalesce(read_at, $4)
      where tenant_id = $1 and person_id = $2 and notification_id = $3
     returning ${columns}`,
    [tx.tenantId, personId, notificationId, now],
  );
  return row && shown(row);
}

export function markAllRead(tx: Transaction, personId: string, now: Date): Promise<number> {
  return tx.run(
    'update notification set read_at = $3 where tenant_id = $1 and person_id = $2 and read_at is null',
    [tx.tenantId, personId, now],
  );
}

function shown({ createdAt, readAt, ...row }: NotificationRow): notifications.Notification {
  return { ...row, createdAt: createdAt.toISOString(), readAt: readAt?.toISOString() ?? null };
}

export async function deleteNotificationsOf(tx: Transaction, personId: string): Promise<void> {
  await tx.run('delete from notification where tenant_id = $1 and person_id = $2', [tx.tenantId, personId]);
}
