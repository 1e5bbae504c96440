/** Wrong tokens from one address before further ones are refused for a while. */
const mostFailures = 10;
const windowMs = 60_000;
const rememberedPlaces = 1_000;

export interface Throttle {
  /** Milliseconds this place must wait; 0 when it may try. */
  waitMs(place: string): number;
  failed(place: string): void;
}

/** Counts failures by address, in this process: there are few operators, and a gateway without Redis must be as safe. */
export function throttle(now: () => number = Date.now): Throttle {
  const failures = new Map<string, { count: number; until: number }>();
  const of = (place: string) => {
    const known = failures.get(place);
    return known !== undefined && known.until > now() ? known : undefined;
  };
  return {
    waitMs(place) {
      const known = of(place);
      return known !== undefined && known.count >= mostFailures ? known.until - now() : 0;
    },
    failed(place) {
      const count = (of(place)?.count ?? 0) + 1;
      failures.delete(place);
      failures.set(place, { count, until: now() + windowMs });
      const oldest = failures.keys().next().value;
      if (failures.size > rememberedPlaces && oldest !== undefined) failures.delete(oldest);
    },
  };
}
