/** How long works wait for their turn, and what they are told when it does not come. */
export interface Patience {
  readonly ms: number;
  readonly refusal: () => Error;
}

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

/** Runs the work as soon as its key has room for it; waits for ever, or as long as the patience says. */
export type LimitConcurrency = <T>(key: string, work: () => Promise<T>, patience?: Patience) => Promise<T>;

/**
 * Runs at most so many works of one key at once; the others wait in the order they came. Keys do not affect each other.
 *
 * For works that would wait for the same lock in the database: here they wait without a connection, so one busy
 * organisation does not hold all of them, and a commit does not wake a crowd.
 */
export function limitConcurrencyByKey(atOnce: number): LimitConcurrency {
  const lines = new Map<string, Line>();

  return async (key, work, patience) => {
    const line = lines.get(key) ?? { running: 0, waiting: [] };
    lines.set(key, line);
    if (line.running >= atOnce) await turnIn(line, patience);
    else line.running += 1;
    try {
      return await work();
    } finally {
      // The place is handed over, so no other work can take it in between.
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else line.running -= 1;
      if (line.running === 0) lines.delete(key);
    }
  };
}

function turnIn({ waiting }: Line, patience: Patience | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer =
      patience &&
      setTimeout(() => {
        waiting.splice(waiting.indexOf(called), 1);
        reject(patience.refusal());
      }, patience.ms);
    const called = () => {
      clearTimeout(timer);
      resolve();
    };
    waiting.push(called);
  });
}
