import { IdempotencyKeyReused, RequestStillRunning, type SagaNeed } from '@marimo/contracts';
import { Refusal, type RefusalKind } from '@marimo/problems';

/** What a failed attempt at a step means. */
export interface Failure {
  /**
   * `refused`: a rule says no, and nothing was done. `away`: whoever should do it cannot now, or has not answered; it is tried
   * again. `broken`: no attempt can mend it.
   */
  readonly kind: 'refused' | 'away' | 'broken';
  readonly code: string;
  readonly detail: string;
  readonly needs: SagaNeed;
  /** What the other side asked us to wait. */
  readonly retryAfterMs: number;
}

export interface Concerned {
  /** Who was to do the step. */
  readonly service: string;
  /** Whose saga it is. */
  readonly owner: string;
}

const mayPass: ReadonlySet<RefusalKind> = new Set([
  'busy',
  'badUpstream',
  'unavailable',
  'timedOut',
  'unauthenticated', // a token of our own that was withdrawn
]);

export function failureOf(thrown: unknown, { service, owner }: Concerned): Failure {
  if (!(thrown instanceof Refusal)) return defect(thrown, owner);
  const { code, kind } = thrown.definition;
  const told = { code, detail: thrown.message, retryAfterMs: (thrown.retryAfterSeconds ?? 0) * 1_000 };
  if (code === RequestStillRunning.definition.code || mayPass.has(kind))
    return { ...told, kind: 'away', needs: { who: 'service', name: service } };
  // What was written down was sent under this key, so somebody else used the key.
  if (code === IdempotencyKeyReused.definition.code)
    return { ...told, kind: 'broken', needs: { who: 'operator', name: owner } };
  return { ...told, kind: 'refused', needs: { who: 'person', name: `${owner}.saga.manage` } };
}

/** Neither a refusal nor an absence: our own mistake, which the next version may have mended. Its text stays in the log. */
function defect(_thrown: unknown, owner: string): Failure {
  return {
    kind: 'away',
    code: 'platform.unknown-failure',
    detail: `Something went wrong in ${owner}; its log has the reason.`,
    needs: { who: 'operator', name: owner },
    retryAfterMs: 0,
  };
}

const longestPauseMs = 30_000;

/** Milliseconds until the next attempt after so many failures: half a second doubling to 30 s, spread by half. */
export function pauseMs(failures: number, retryAfterMs: number, random: () => number = Math.random): number {
  const pause = Math.min(longestPauseMs, 500 * 2 ** Math.min(failures - 1, 10));
  return Math.min(longestPauseMs, Math.max(retryAfterMs, pause * (0.5 + random() / 2)));
}
