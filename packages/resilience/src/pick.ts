export interface PickFrom<I> {
  /** Calls that are running at it now. */
  readonly pending: (instance: I) => number;
  /** Not these: their breaker is open, or they have just been tried. */
  readonly skip: (instance: I) => boolean;
  /** Grows by one a call; those with equally little to do take turns. */
  readonly turn: number;
}

/** The instance with the fewest running calls, or undefined when all are skipped. */
export function pickInstance<I>(
  instances: readonly I[],
  { pending, skip, turn }: PickFrom<I>,
): I | undefined {
  let best: I | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step < instances.length; step++) {
    const instance = instances[(turn + step) % instances.length];
    if (instance === undefined || skip(instance)) continue;
    const running = pending(instance);
    if (running < least) [best, least] = [instance, running];
  }
  return best;
}
