/** How one attempt ended without a usable answer. */
export type AttemptFailure =
  | 'not-sent' // nothing was written: no connection, or the breaker let nothing through
  | 'no-answer' // something was written, and the connection broke before an answer began
  | 'broken-answer' // the answer broke off; only where nothing of it was passed on yet
  | 'turned-away' // 502 or 503: the instance, or something it needs, cannot serve now
  | 'out-of-time' // the deadline passed
  | 'given-up'; // the caller left

export interface Attempted {
  readonly method: string;
  /** An `Idempotency-Key` went with it. */
  readonly keyed: boolean;
  readonly failure: AttemptFailure;
}

const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** The most attempts one call makes, the first included. */
export const maxAttempts = 3;

/** The table of `docs/resilience.md`: what may be sent again without doubling its effect. */
export function mayRetry({ method, keyed, failure }: Attempted): boolean {
  switch (failure) {
    case 'not-sent':
      return true;
    case 'no-answer':
    case 'broken-answer':
    case 'turned-away':
      return keyed || idempotentMethods.has(method);
    case 'out-of-time':
    case 'given-up':
      return false;
  }
}

/**
 * Milliseconds to wait before retry number `retry` (1 is the first): anything from nothing to 100 ms doubling to 10 s.
 * Full jitter, so that callers which failed together do not come back together.
 */
export function backoffMs(retry: number, random: () => number = Math.random): number {
  return random() * Math.min(10_000, 100 * 2 ** (retry - 1));
}

export interface RetryBudgetSettings {
  /** Retries allowed for each call, 0.1 for one in ten. */
  readonly share: number;
  /** Retries allowed before any call has earned them, and the most that can be saved up. */
  readonly reserve: number;
}

/**
 * Keeps retries to a share of the traffic to one service, so that a service in trouble is not buried by them.
 * After n calls at most `share × n + reserve` retries have been made, whatever failed.
 */
export class RetryBudget {
  // Thousandths of a retry: tenths do not add up to one in binary fractions.
  readonly #earned: number;
  readonly #most: number;
  #tokens: number;

  constructor({ share, reserve }: RetryBudgetSettings = { share: 0.1, reserve: 10 }) {
    this.#earned = Math.trunc(share * 1_000);
    this.#most = reserve * 1_000;
    this.#tokens = this.#most;
  }

  /** Each call earns, once, whatever becomes of it. */
  earn(): void {
    this.#tokens = Math.min(this.#most, this.#tokens + this.#earned);
  }

  /** Takes one retry out; false when there is none. */
  spend(): boolean {
    if (this.#tokens < 1_000) return false;
    this.#tokens -= 1_000;
    return true;
  }
}
