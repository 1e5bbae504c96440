import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@marimo/observability';

export interface RepeatOptions {
  /** What it does, for the log. */
  readonly name: string;
  /** Between the end of one run and the begin of the next. */
  readonly pauseMs: number;
  readonly log: Log;
}

/**
 * Runs the work now and after every pause. A run that fails is tried again after the next pause; the first failure is
 * logged, and then the first success. The returned function resolves when nothing runs any more.
 */
export function repeat(
  { name, pauseMs, log }: RepeatOptions,
  work: (signal: AbortSignal) => Promise<void>,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function loop(): Promise<void> {
    let failing = false;
    while (!signal.aborted) {
      try {
        await work(signal);
        if (failing) log.info(`${name}: works again`);
        failing = false;
      } catch (error) {
        if (!failing && !signal.aborted) log.warn(`${name}: failed, will be tried again`, { error });
        failing = true;
      }
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const ended = loop();
  return () => {
    stopping.abort();
    return ended;
  };
}
