import type { Transaction } from '@marimo/postgres';
import type { AnyReply } from '../route.ts';

interface Key {
  readonly key: string;
  readonly userId: string;
  readonly route: string;
}

export interface StoredAnswer {
  readonly digest: Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** False while another transaction holds the key; the lock goes with this transaction, however it ends. */
export async function lockKey(tx: Transaction, { key, userId, route }: Key): Promise<boolean> {
  const name = [tx.tenantId, userId, route, key].join(' ');
  const row = await tx.first<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
    [name],
    'idempotency_lock',
  );
  return row?.locked === true;
}

export function findAnswer(tx: Transaction, { key, userId, route }: Key): Promise<StoredAnswer | undefined> {
  return tx.first<StoredAnswer>(
    `select request_digest as digest, status, headers, body
       from idempotency_key
      where tenant_id = $1 and user_id = $2 and route = $3 and key = $4`,
    [tx.tenantId, userId, route, key],
    'idempotency_find',
  );
}

export async function keepAnswer(
  tx: Transaction,
  { key, userId, route }: Key,
  digest: Buffer,
  { status, headers = {}, body }: AnyReply,
): Promise<void> {
  await tx.run(
    `insert into idempotency_key (tenant_id, user_id, route, key, request_digest, status, headers, body)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      tx.tenantId,
      userId,
      route,
      key,
      digest,
      status,
      JSON.stringify(headers),
      body == null ? null : JSON.stringify(body),
    ],
    'idempotency_keep',
  );
}

/** We promise a day; the hour more is for clocks and for repeats under way. */
export function deleteOldAnswers(tx: Transaction): Promise<number> {
  return tx.run("delete from idempotency_key where created_at < now() - interval '25 hours'");
}
