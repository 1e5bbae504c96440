import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './log.ts';

export interface PeriodicOptions {
  /** What it does, for the log. */
  readonly name: string;
  /** Between the end of one run and the start of the next. */
  readonly pauseMs: number;
  readonly log: Log;
}

/**
 * Runs the work now and after every pause. A failed run is repeated after the next pause; the first failure is logged,
 * and then the first success. The returned function stops it and resolves once nothing runs any more.
 */
export function runPeriodically(
  { name, pauseMs, log }: PeriodicOptions,
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
