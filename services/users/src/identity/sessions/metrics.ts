import type { Metrics } from '@marimo/observability';

export type SignInMetrics = ReturnType<typeof signInMetrics>;

export function signInMetrics(metrics: Metrics) {
  return {
    attempts: metrics.counter('auth_attempts_total', 'Attempts to sign in with a password', ['outcome']),
    tokens: metrics.counter('tokens_issued_total', 'Tokens given out', ['type']),
    activePeople: metrics.gauge(
      'active_users_total',
      'People of all organisations seen within 15 minutes; each instance says the same number',
      [],
    ),
  };
}
