import { setTimeout as pause } from 'node:timers/promises';
import { isContention, unavailable } from './failures.ts';
import type { Interruption } from './interruption.ts';

const attempts = 3;

/** Tries again what lost against another transaction; a short random pause keeps the two from meeting again. */
export async function retryContended<T>(attempt: () => Promise<T>, interruption: Interruption): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isContention(error) || interruption.signal.aborted) throw error;
      if (tried === attempts) throw unavailable(error, 'nothing-written');
      await pause(Math.random() * 20 * tried);
    }
  }
}
