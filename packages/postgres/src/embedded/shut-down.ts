/** PostgreSQL's ways to stop, each after the one before has had its time: fast, at once, and not by itself at all. */
const ladder = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;

/** Says whether the server has ended. `endsWithin` waits for that. */
export async function shutDown(
  send: (signal: NodeJS.Signals) => void,
  endsWithin: (waitMs: number) => Promise<boolean>,
): Promise<boolean> {
  for (const { signal, waitMs } of ladder) {
    send(signal);
    if (await endsWithin(waitMs)) return true;
  }
  return false;
}
