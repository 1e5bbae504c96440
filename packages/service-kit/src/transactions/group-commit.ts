import type { Database, TenantTransaction } from '@marimo/postgres';
import { Refusal, statusOf } from '@marimo/problems';
import { type Outcome, onceOnlyEach } from '../idempotency/once-only.ts';
import type { SignedInCall } from '../route.ts';
import type { LimitConcurrency, Patience } from './limit-concurrency.ts';

/** One call that shares a transaction, with what its work needs to know of it. */
export interface GroupMember {
  readonly call: Pick<SignedInCall, 'tenantId' | 'deadlineAt' | 'signal' | 'repeat'>;
}

export interface GroupOptions<Member extends GroupMember, R> {
  readonly database: Database;
  /** Keyed by organisation: while its groups are running, the next one gathers. */
  readonly limit: LimitConcurrency;
  readonly atMost: number;
  /** How long a group waits for its turn. */
  readonly patience?: Patience;
  /**
   * Does the work of all members, of one organisation, and says in their order what becomes of each. It writes nothing
   * for those that it refuses. If it throws a refusal, each member is tried alone.
   */
  readonly work: (tx: TenantTransaction, members: readonly Member[]) => Promise<readonly Outcome<R>[]>;
}

interface Waiting<Member, R> {
  readonly member: Member;
  resolve(reply: R): void;
  reject(reason: unknown): void;
}

/**
 * Calls that would wait for each other's commit go together in one transaction, and one wait for the disk serves them
 * all. Each has its own reply, refusal and `Idempotency-Key`, as if it had run alone with `call.inTenant`: what one
 * member does wrong no other member notices.
 */
export function groupCommit<Member extends GroupMember, R>(
  options: GroupOptions<Member, R>,
): (member: Member) => Promise<R> {
  const gathering = new Map<string, Waiting<Member, R>[]>();

  return (member) =>
    new Promise((resolve, reject) => {
      const { tenantId } = member.call;
      const waiting = { member, resolve, reject };
      const group = gathering.get(tenantId);
      if (group !== undefined && group.length < options.atMost) return void group.push(waiting);
      const started = [waiting];
      gathering.set(tenantId, started);
      const close = () => {
        if (gathering.get(tenantId) === started) gathering.delete(tenantId);
      };
      options
        .limit(
          tenantId,
          async () => {
            await new Promise(setImmediate); // requests that arrived together are read one after the other
            close();
            await runTogether(options, started);
          },
          options.patience,
        )
        .catch((error: unknown) => {
          close(); // its turn has not come
          for (const each of started) each.reject(error);
        });
    });
}

/** Never rejects: each member learns what became of it. */
async function runTogether<Member extends GroupMember, R>(
  options: GroupOptions<Member, R>,
  group: readonly Waiting<Member, R>[],
): Promise<void> {
  const present = group.filter(({ member: { call }, reject }) => {
    if (call.signal.aborted) reject(call.signal.reason);
    return !call.signal.aborted;
  });
  const [first] = present;
  if (first === undefined) return;
  const isAlone = present.length === 1;
  const members = present.map(({ member }) => member);
  try {
    const requests = members.map((member) => ({ member, repeat: member.call.repeat }));
    const outcomes = await options.database.inTenant(
      first.member.call.tenantId,
      (tx) =>
        onceOnlyEach(tx, requests, (fresh) =>
          options.work(
            tx,
            fresh.map(({ member }) => member),
          ),
        ),
      {
        deadlineAt: Math.max(...members.map(({ call }) => call.deadlineAt)),
        ...(isAlone && { signal: first.member.call.signal }),
      },
    );
    for (const [index, { resolve, reject }] of present.entries()) {
      const outcome = outcomes[index] as Outcome<R>;
      if ('refusal' in outcome) reject(outcome.refusal);
      else resolve(outcome.reply);
    }
  } catch (error) {
    if (isAlone || !isOfOneMember(error)) for (const { reject } of present) reject(error);
    else for (const each of present) await runTogether(options, [each]);
  }
}

/** What the database could not do for the group as a whole, or not in time, it will not do for one of them either. */
function isOfOneMember(error: unknown): boolean {
  if (!(error instanceof Refusal)) return true;
  return error.definition.kind !== 'busy' && statusOf(error.definition.kind) < 500;
}
