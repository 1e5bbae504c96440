/** The first try and four more; what fails then is parked for a person to look at. */
export const maxAttempts = 5;

/** Short enough to hide a restart of what the consumer needs, long enough in all for somebody to mend it. */
export const usualRetryDelaysMs: readonly number[] = [1_000, 10_000, 60_000, 300_000];

/** One delay after each failed attempt but the last. */
export function checkedDelays(delaysMs: readonly number[]): readonly number[] {
  const growing = delaysMs.every((delay, index) => delay > (delaysMs[index - 1] ?? 0));
  if (delaysMs.length !== maxAttempts - 1 || !growing) {
    throw new Error(`Retries need ${maxAttempts - 1} delays, each longer than the one before`);
  }
  return delaysMs;
}

/** Thrown by a consumer for an event that can never be handled: it goes to the dead letters at once. */
export class UnfitEvent extends Error {
  override readonly name = 'UnfitEvent';
}

/** PostgreSQL keeps no NUL: with one in it, what failed could never be put aside, and nothing behind it would go on. */
export function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return reason.slice(0, 2_000).replaceAll('\0', '\ufffd');
}
