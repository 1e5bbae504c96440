import type { Transaction } from '@marimo/postgres';
import type { AnyReply } from '../route.ts';
import type { AnswerKey } from './repeat.ts';

export interface StoredAnswer {
  readonly digest: Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface AnswerToKeep extends AnswerKey {
  readonly digest: Buffer;
  readonly reply: AnyReply;
}

/** Of each key, in order: false while another transaction holds it. The locks go with this transaction, however it ends. */
export async function lockKeys(tx: Transaction, keys: readonly AnswerKey[]): Promise<boolean[]> {
  const names = keys.map(({ key, userId, route }) => [tx.tenantId, userId, route, key].join(' '));
  const rows = await tx.rows<{ locked: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended(name, 0)) as locked
     from unnest($1::text[]) with ordinality as wanted (name, place)
     order by place`,
    [names],
    'idempotency_lock',
  );
  return rows.map(({ locked }) => locked);
}

/** What is kept of each key, in order. */
export async function listAnswers(
  tx: Transaction,
  keys: readonly AnswerKey[],
): Promise<(StoredAnswer | undefined)[]> {
  const rows = await tx.rows<StoredAnswer & { place: number }>(
    `select wanted.place::int, kept.request_digest as digest, kept.status, kept.headers, kept.body
     from unnest($2::uuid[], $3::text[], $4::text[]) with ordinality as wanted (user_id, route, key, place)
     cross join lateral (
       select * from idempotency_key as known
       where known.tenant_id = $1 and known.user_id = wanted.user_id
         and known.route = wanted.route and known.key = wanted.key
       limit 1
     ) as kept`,
    [tx.tenantId, ...columnsOf(keys)],
    'idempotency_list',
  );
  const kept = new Map(rows.map((row) => [row.place, row]));
  return keys.map((_, index) => kept.get(index + 1));
}

export async function insertAnswers(tx: Transaction, answers: readonly AnswerToKeep[]): Promise<void> {
  await tx.run(
    `insert into idempotency_key (tenant_id, user_id, route, key, request_digest, status, headers, body)
     select $1, user_id, route, key, digest, status, headers::json, body::json
     from unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::int[], $7::text[], $8::text[])
       as given (user_id, route, key, digest, status, headers, body)`,
    [
      tx.tenantId,
      ...columnsOf(answers),
      answers.map(({ digest }) => digest),
      answers.map(({ reply }) => reply.status),
      answers.map(({ reply }) => JSON.stringify(reply.headers ?? {})),
      answers.map(({ reply }) => (reply.body == null ? null : JSON.stringify(reply.body))),
    ],
    'idempotency_insert',
  );
}

const columnsOf = (keys: readonly AnswerKey[]) => [
  keys.map(({ userId }) => userId),
  keys.map(({ route }) => route),
  keys.map(({ key }) => key),
];

/** We promise a day; the hour more is for clocks and for repeats under way. */
export function deleteOldAnswers(tx: Transaction): Promise<number> {
  return tx.run("delete from idempotency_key where created_at < now() - interval '25 hours'");
}
