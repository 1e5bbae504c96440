const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** After the first failed attempt, the second, …; a mail server that is down for a day loses no mail. */
const pausesMs = [10 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 15 * hour];

/**
 * When a mail is tried again after so many failed attempts, in milliseconds from now; null when it is given up.
 * A mailbox the server says it will never take is given up at once.
 */
export function pauseAfter(attempts: number, isFinal: boolean): number | null {
  return isFinal ? null : (pausesMs[attempts - 1] ?? null);
}
