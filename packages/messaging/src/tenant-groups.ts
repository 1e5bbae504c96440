import type { Envelope } from '@marimo/contracts';

interface Waiting<Outcome> {
  readonly envelope: Envelope;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

export interface TenantGroupsOptions<Outcome> {
  readonly groupsAtOnce: number;
  readonly eventsInGroup: number;
  /** All of one tenant; resolves with the outcome of each, in their order, or rejects and has done nothing. */
  readonly handle: (group: readonly Envelope[]) => Promise<readonly Outcome[]>;
  /** Whether it would fail for each alone as it did for all. */
  readonly concernsAll: (error: unknown) => boolean;
}

/**
 * Puts events that wait at the same time into groups of one tenant, which are handled in one transaction: a commit costs
 * as much as the work of many events. Groups of one tenant come one after the other, those of several in turn. When a
 * group fails, each of its events is tried alone, so an event hurts no other.
 */
export class TenantGroups<Outcome> {
  readonly #options: TenantGroupsOptions<Outcome>;
  /** By tenant, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting<Outcome>[]>();
  readonly #busy = new Set<string>();
  #isScheduled = false;

  constructor(options: TenantGroupsOptions<Outcome>) {
    this.#options = options;
  }

  handle(envelope: Envelope): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(envelope.tenantid) ?? [];
      waiting.push({ envelope, resolve, reject });
      this.#waiting.set(envelope.tenantid, waiting);
      this.#schedule();
    });
  }

  /** After this turn of the event loop, so that what arrives together begins together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#begin();
    });
  }

  #begin(): void {
    for (const [tenantId, waiting] of this.#waiting) {
      if (this.#busy.size === this.#options.groupsAtOnce) return;
      if (this.#busy.has(tenantId)) continue;
      this.#waiting.delete(tenantId);
      const group = waiting.splice(0, this.#options.eventsInGroup);
      if (waiting.length > 0) this.#waiting.set(tenantId, waiting); // behind the others
      this.#busy.add(tenantId);
      void this.#settle(group).then(() => {
        this.#busy.delete(tenantId);
        this.#schedule();
      });
    }
  }

  /** Never rejects. */
  async #settle(group: readonly Waiting<Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.handle(group.map(({ envelope }) => envelope));
      for (const [place, one] of group.entries()) one.resolve(outcomes[place] as Outcome);
    } catch (error) {
      if (group.length === 1 || this.#options.concernsAll(error)) {
        for (const one of group) one.reject(error);
      } else {
        for (const one of group) await this.#settle([one]);
      }
    }
  }
}
