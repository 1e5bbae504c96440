import type { TransactionOptions } from './database.ts';

/** The one moment at which work must end early: its deadline, or its caller going away. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Milliseconds left, or undefined without a deadline. */
  remainingMs(): number | undefined;
  dispose(): void;
}

const longestTimerMs = 2 ** 31 - 1;

export function interruptionOf({ signal, deadlineAt }: TransactionOptions): Interruption {
  const controller = new AbortController();
  const fire = () => controller.abort();
  const remainingMs = () => (deadlineAt === undefined ? undefined : deadlineAt - Date.now());
  const untilDeadline = remainingMs();

  if (signal?.aborted || (untilDeadline !== undefined && untilDeadline <= 0)) fire();
  signal?.addEventListener('abort', fire, { once: true });
  const timer =
    untilDeadline === undefined || controller.signal.aborted
      ? undefined
      : setTimeout(fire, Math.min(untilDeadline, longestTimerMs));

  return {
    signal: controller.signal,
    remainingMs,
    dispose() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', fire);
    },
  };
}
