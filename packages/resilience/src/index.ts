export { authorHeader } from './attempt.ts';
export {
  type BreakerOptions,
  type BreakerSettings,
  Breakers,
  type BreakerTarget,
  type Pass,
} from './breaker.ts';
export {
  type CallInput,
  createServiceClient,
  type ServiceClient,
  type ServiceClientOptions,
} from './client.ts';
export type { ConnectionSettings } from './connections.ts';
export { deadlineFrom, deadlineHeader } from './deadline.ts';
export { type PickFrom, pickInstance } from './pick.ts';
export { RefusedByService } from './refused.ts';
export {
  type Attempted,
  type AttemptFailure,
  backoffMs,
  maxAttempts,
  mayRetry,
  RetryBudget,
  type RetryBudgetSettings,
} from './retry.ts';
