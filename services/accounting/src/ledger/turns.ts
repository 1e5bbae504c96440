/** Runs the work when it is its key's turn. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Lets so many works of one key run at once; the others wait in the order they came, and other keys do not notice.
 *
 * Postings of one organisation wait for each other's numbers anyway. Here they do it without a database connection:
 * otherwise one busy organisation would hold all of them, and each commit would wake a crowd.
 */
export function takeTurns(atOnce: number): InTurn {
  const lines = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  return async (key, work) => {
    const line = lines.get(key) ?? { running: 0, waiting: [] };
    lines.set(key, line);
    if (line.running >= atOnce) await new Promise<void>((called) => line.waiting.push(called));
    else line.running += 1;
    try {
      return await work();
    } finally {
      // A turn is handed over, so nobody can slip in between.
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else line.running -= 1;
      if (line.running === 0) lines.delete(key);
    }
  };
}
