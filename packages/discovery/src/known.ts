import type { Instance } from './registry.ts';

/** What the registry says of one service. */
export interface Answer {
  readonly passing: readonly Instance[];
  /** Ids of all it has on its books, also of those whose check fails. */
  readonly registered: ReadonlySet<string>;
}

/**
 * The instances to call after an answer. Calling a dead instance costs one retry; calling nobody is an outage. So:
 *
 * - while nobody passes, those who are still registered stay: a check that fails everywhere says more about the
 *   checker, or about something they all share, than about them;
 * - after an interruption the books may be empty because the registry lost them, so those it has not named since, the
 *   `unconfirmed`, stay: long enough for living instances to register again;
 * - otherwise a missing instance has been withdrawn and goes at once.
 */
export function instancesToCall(
  known: readonly Instance[],
  answer: Answer,
  unconfirmed: ReadonlySet<string>,
): readonly Instance[] {
  const passing = new Set(answer.passing.map((instance) => instance.id));
  const kept = known.filter(({ id }) => {
    if (passing.has(id)) return false;
    return answer.registered.has(id) ? passing.size === 0 : unconfirmed.has(id);
  });
  return [...answer.passing, ...kept].sort((a, b) => (a.id < b.id ? -1 : 1));
}
