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

/** Milliseconds left, never below zero. */
export function remainingMs(deadlineAt: number, nowMs: number): number {
  return Math.max(0, deadlineAt - nowMs);
}
