import type { Lease } from './store.ts';

/** Leases among the callers of this process. */
export class Leases {
  readonly #held = new Map<string, { readonly fence: bigint; until: number }>();
  readonly #now: () => number;
  #lastFence = 0n;

  /** @param now milliseconds since the epoch: fences must grow over restarts too */
  constructor(now: () => number) {
    this.#now = now;
  }

  take(name: string, ttlMs: number): Lease | null {
    const holder = this.#held.get(name);
    if (holder !== undefined && holder.until > this.#now()) return null;
    const mine = { fence: this.#nextFence(), until: this.#now() + ttlMs };
    this.#held.set(name, mine);
    const isMine = () => this.#held.get(name) === mine && mine.until > this.#now();
    return {
      fence: mine.fence,
      renew: async () => {
        if (isMine()) mine.until = this.#now() + ttlMs;
        return isMine();
      },
      release: async () => {
        if (this.#held.get(name) === mine) this.#held.delete(name);
      },
    };
  }

  /** Microseconds, as in Redis, so that fences go on growing when one takes over from the other. */
  #nextFence(): bigint {
    const now = BigInt(Math.floor(this.#now())) * 1_000n;
    this.#lastFence = now > this.#lastFence ? now : this.#lastFence + 1n;
    return this.#lastFence;
  }
}
