import { AsyncLocalStorage } from 'node:async_hooks';

/** What belongs to the work at hand and is written on every log line and event it causes. */
export interface WorkContext {
  readonly requestId: string;
  readonly tenantId?: string;
  /** The person or service account on whose behalf we work. */
  readonly actorId?: string;
  /** The service that asked for it on its own behalf. */
  readonly callingService?: string;
  /** What the work has cost so far; work within it adds to the same, unless it is given its own. */
  readonly cost?: WorkCost;
}

export interface WorkCost {
  /** Sent to a database. */
  statements: number;
}

const store = new AsyncLocalStorage<WorkContext>();

export function runInContext<T>(context: WorkContext, work: () => T): T {
  const cost = context.cost ?? store.getStore()?.cost;
  return store.run(cost === undefined ? context : { ...context, cost }, work);
}

export function currentContext(): WorkContext | undefined {
  return store.getStore();
}
