import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { IdempotencyKeyReused, MalformedRequest, RequestStillRunning } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import type { AnyReply } from '../route.ts';
import { findAnswer, keepAnswer, lockKey, type StoredAnswer } from './store.ts';

/** A request that may come again: its key belongs to one user and one route. */
export interface Repeat {
  /** Undefined where the caller sent none: then nothing is kept. */
  readonly key: string | undefined;
  readonly userId: string;
  readonly route: string;
  /** Everything the caller sent that decides the effect, as plain JSON. */
  readonly content: unknown;
}

/**
 * Wraps a business transaction so that it takes effect once for each key. The answer is kept in the same commit as the
 * effect: either both are there or neither is. A refusal rolls back, so it keeps nothing and can be tried again.
 */
export function onceOnly<R>(
  { key, content, ...repeat }: Repeat,
  work: (tx: TenantTransaction) => Promise<R>,
): (tx: TenantTransaction) => Promise<R> {
  const doWork = async (tx: TenantTransaction): Promise<R & AnyReply> => {
    const answer = await work(tx);
    demandReply(answer, repeat.route); // without a key too, so that the first test of a handler finds it
    return answer;
  };
  if (key === undefined) return doWork;

  const kept = { key, ...repeat };
  const digest = digestOf(content);
  return async (tx) => {
    if (!(await lockKey(tx, kept))) throw new RequestStillRunning({}, { retryAfterSeconds: 1 });
    const stored = await findAnswer(tx, kept);
    if (stored !== undefined) {
      if (!stored.digest.equals(digest)) throw new IdempotencyKeyReused({});
      return replayed(stored) as R; // what is kept was an R when it was made
    }
    const answer = await doWork(tx);
    await keepAnswer(tx, kept, digest, answer);
    return answer;
  };
}

export function idempotencyKeyOf(req: IncomingMessage): string | undefined {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const detail = 'an Idempotency-Key is 1 to 255 visible ASCII characters; a UUID is best';
  throw new MalformedRequest({ errors: [{ pointer: '', detail }] });
}

/** `idempotent-replayed` tells the caller that nothing happened this time. */
function replayed({ status, body, headers }: StoredAnswer): AnyReply {
  return { status, body, headers: { ...headers, 'idempotent-replayed': 'true' } };
}

function demandReply<R>(answer: R, route: string): asserts answer is R & AnyReply {
  if (typeof (answer as AnyReply | undefined)?.status === 'number') return;
  throw new TypeError(
    `${route} keeps its answers, so its call.inTenant must return the reply; use database.inTenant for other work`,
  );
}

/** The same whatever the order of the fields. */
function digestOf(content: unknown): Buffer {
  const canonical = JSON.stringify(content, (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(canonical).digest();
}
