import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { IdempotencyKeyReused, MalformedRequest, RequestStillRunning } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import type { Refusal } from '@marimo/problems';
import type { AnyReply } from '../route.ts';
import type { AnswerKey, Repeat } from './repeat.ts';
import { insertAnswers, listAnswers, lockKeys, type StoredAnswer } from './store.ts';

/** What becomes of a request among others in the same transaction. */
export type Outcome<R> = { readonly reply: R } | { readonly refusal: Refusal };

/**
 * Wraps a business transaction so that it takes effect once for each key. The answer is kept in the same commit as the
 * effect: either both are there or neither is. A refusal rolls back, so it keeps nothing and can be tried again.
 */
export function onceOnly<R>(
  repeat: Repeat,
  work: (tx: TenantTransaction) => Promise<R>,
): (tx: TenantTransaction) => Promise<R> {
  return async (tx) => {
    const [outcome] = await onceOnlyEach(tx, [{ repeat }], async () => [{ reply: await work(tx) }]);
    if (outcome === undefined) throw new Error('The work had no outcome');
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome.reply;
  };
}

/**
 * The same for many requests in one transaction: the work is given those that were not answered before, and says in
 * their order what becomes of each. It must have written nothing for those that it refuses.
 */
export async function onceOnlyEach<Request extends { readonly repeat: Repeat | undefined }, R>(
  tx: TenantTransaction,
  requests: readonly Request[],
  work: (requests: readonly Request[]) => Promise<readonly Outcome<R>[]>,
): Promise<Outcome<R>[]> {
  const before = await outcomesBefore<R>(
    tx,
    requests.flatMap(({ repeat }) => keyedOf(repeat) ?? []),
  );
  const known = requests.map(({ repeat }) => before.get(repeat));
  const fresh = requests.filter((_, index) => known[index] === undefined);
  const outcomes = fresh.length === 0 ? [] : await work(fresh);
  const toKeep = fresh.flatMap(({ repeat }, index) => {
    const outcome = outcomes[index];
    if (repeat === undefined || outcome === undefined || 'refusal' in outcome) return [];
    const { reply } = outcome;
    requireReply(reply, repeat.route); // without a key too, so that the first test of a handler finds it
    const keyed = keyedOf(repeat);
    return keyed === undefined ? [] : { ...keyed, digest: digestOf(keyed.content), reply };
  });
  if (toKeep.length > 0) await insertAnswers(tx, toKeep);
  const left = outcomes.values();
  return known.map((outcome) => outcome ?? (left.next().value as Outcome<R>));
}

type KeyedRepeat = Repeat & AnswerKey;

function keyedOf(repeat: Repeat | undefined): KeyedRepeat | undefined {
  return repeat?.key === undefined ? undefined : (repeat as KeyedRepeat);
}

/** The outcomes of those that were answered before, or that run now in this transaction or another one. */
async function outcomesBefore<R>(
  tx: TenantTransaction,
  repeats: readonly KeyedRepeat[],
): Promise<Map<Repeat | undefined, Outcome<R>>> {
  const outcomes = new Map<Repeat | undefined, Outcome<R>>();
  if (repeats.length === 0) return outcomes;
  const locked = await lockKeys(tx, repeats); // grants a key twice to one transaction
  const stored = await listAnswers(tx, repeats); // apart: a statement does not see what was committed after it began
  const running = new Set<string>();
  for (const [index, repeat] of repeats.entries()) {
    const name = [repeat.userId, repeat.route, repeat.key].join(' ');
    const answer = stored[index];
    if (locked[index] !== true || (answer === undefined && running.has(name))) {
      outcomes.set(repeat, { refusal: new RequestStillRunning({}, { retryAfterSeconds: 1 }) });
    } else if (answer !== undefined && !answer.digest.equals(digestOf(repeat.content))) {
      outcomes.set(repeat, { refusal: new IdempotencyKeyReused({}) });
    } else if (answer !== undefined) {
      outcomes.set(repeat, { reply: replayed(answer) as R }); // what is kept was an R when it was made
    }
    running.add(name);
  }
  return outcomes;
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

function requireReply<R>(answer: R, route: string): asserts answer is R & AnyReply {
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
