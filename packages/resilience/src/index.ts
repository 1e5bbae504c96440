export {
  type BreakerOptions,
  type BreakerSettings,
  Breakers,
  type BreakerTarget,
  type Pass,
} from './breaker.ts';
export type { CallInput, ServiceClient } from './client.ts';
export { deadlineFrom, deadlineHeader, remainingMs } from './deadline.ts';
export { type PickFrom, pickInstance } from './pick.ts';
export {
  type Attempted,
  type AttemptFailure,
  backoffMs,
  maxAttempts,
  mayRetry,
  RetryBudget,
  type RetryBudgetSettings,
} from './retry.ts';
