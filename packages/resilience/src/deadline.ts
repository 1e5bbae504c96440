import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineExceeded } from '@marimo/contracts';

/** Carries the moment a request must be answered by, in milliseconds since the epoch. */
export const deadlineHeader = 'x-marimo-deadline';

/**
 * When the work must be done: `maxMs` from now, or as early as the header says. A header can only shorten, so it needs
 * no trust; one that is not a whole number is ignored. The result may lie in the past.
 */
export function deadlineFrom(header: string | undefined, maxMs: number, nowMs: number): number {
  const own = nowMs + maxMs;
  if (header === undefined || !/^\d{1,15}$/.test(header)) return own;
  return Math.min(own, Number(header));
}

export interface Deadline {
  readonly at: number;
  /** Fires with `DeadlineExceeded` when the time is up, or with the caller's own reason when it gives up. */
  readonly signal: AbortSignal;
  /** Waits, unless the time would be up by then; false when it was not worth waiting. */
  leavesTimeFor(waitMs: number): Promise<boolean>;
  /** Must be called: until then a timer runs and the caller's signal is listened to. */
  end(): void;
}

export function startDeadline(at: number, callerSignal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(new DeadlineExceeded({})), Math.max(0, at - Date.now()));
  const onCallerAbort = () => controller.abort(callerSignal?.reason);
  if (callerSignal?.aborted) onCallerAbort();
  else callerSignal?.addEventListener('abort', onCallerAbort);
  if (at <= Date.now()) controller.abort(new DeadlineExceeded({}));
  return {
    at,
    signal,
    async leavesTimeFor(waitMs) {
      if (Date.now() + waitMs >= at) return false;
      return sleep(waitMs, true, { signal }).catch(() => false);
    },
    end() {
      clearTimeout(timer);
      callerSignal?.removeEventListener('abort', onCallerAbort);
    },
  };
}
