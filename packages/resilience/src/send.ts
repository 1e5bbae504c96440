import { Unavailable } from '@marimo/contracts';
import type { Metrics } from '@marimo/observability';
import type { Attempt, OutgoingCall } from './attempt.ts';
import type { Breakers, Pass } from './breaker.ts';
import type { Chosen, Connections } from './connections.ts';
import { backoffMs, maxAttempts, mayRetry, RetryBudget, type RetryBudgetSettings } from './retry.ts';

export interface Sending {
  readonly connections: Connections;
  readonly breakers: Breakers;
  readonly attempt: (call: OutgoingCall, chosen: Chosen, pass: Pass) => Promise<Attempt>;
  readonly metrics: Metrics;
  readonly retryBudget?: RetryBudgetSettings;
}

/** Sends a call, again where the table in `docs/resilience.md` allows it; resolves with the reply. */
export function sender({ connections, breakers, attempt, metrics, retryBudget }: Sending) {
  const budgets = new Map<string, RetryBudget>();
  const retries = metrics.counter('client_retries_total', 'Calls sent again', ['target', 'reason']);

  function budgetOf(service: string): RetryBudget {
    const budget = budgets.get(service) ?? new RetryBudget(retryBudget);
    budgets.set(service, budget);
    return budget;
  }

  return async (call: OutgoingCall): Promise<unknown> => {
    const { service, deadline } = call;
    const budget = budgetOf(service);
    budget.earn();
    const tried = new Set<string>();
    let uncertain: unknown; // what an attempt ended with after which it may have been done
    for (let tries = 1; ; tries++) {
      const chosen = connections.choose(service, tried, (instance) => breakers.isOpen(instance));
      const pass = chosen && breakers.enter(chosen.instance);
      if (chosen === undefined || pass === undefined)
        throw uncertain ?? new Unavailable({ service }, { retryAfterSeconds: 1 });
      tried.add(chosen.instance.id);

      const ended = await attempt(call, chosen, pass);
      if (ended.kind === 'replied') return ended.reply;
      if (ended.kind === 'final') throw ended.error;
      if (ended.failure === 'no-answer' || ended.failure === 'broken-answer') uncertain = ended.error;
      // A later attempt that was not sent, or turned away, says nothing of an earlier one.
      const error = deadline.signal.aborted ? ended.error : (uncertain ?? ended.error);
      const keyed = call.idempotencyKey !== undefined;
      const allowed = mayRetry({ method: call.request.method, keyed, failure: ended.failure });
      if (!allowed || tries === maxAttempts || !budget.spend()) throw error;
      if (!(await deadline.leavesTimeFor(backoffMs(tries)))) throw error;
      retries.inc({ target: service, reason: ended.failure });
    }
  };
}
