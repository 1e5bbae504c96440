import { LRUCache } from 'lru-cache';
import type { Answer } from './captured-answer.ts';
import type { Flight } from './flight.ts';

/** An answer that may be given again. */
export interface KeptAnswer extends Answer {
  /** The template of its path. */
  readonly route: string;
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly keptAt: number;
  readonly freshUntil: number;
  /** After that it may not even stand in for a service that fails. */
  readonly staleUntil: number;
}

/** Whose data at which service; what a write there may have changed. */
export interface Owner {
  readonly service: string;
  /** Empty where nobody is signed in. */
  readonly tenantId: string;
}

/** What is to be forgotten; what is not said means all. */
export interface Dropped extends Partial<Owner> {
  readonly route?: string;
}

interface Group {
  readonly owner: Owner;
  /** Of what is kept, with the route. */
  readonly keys: Map<string, string>;
  /** On their way; who asks after a write must not get what was read before it. */
  readonly flights: Map<string, Flight>;
  /** Writes on their way. */
  writing: number;
}

/** The kept answers of this process and the requests that will bring new ones, ordered by whose they are. */
export class KeptAnswers {
  readonly #groups = new Map<string, Group>();
  readonly #answers: LRUCache<string, { readonly kept: KeptAnswer; readonly group: Group }>;

  constructor(maxBytes: number) {
    this.#answers = new LRUCache({
      max: 50_000,
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: ({ kept }, key) => kept.body.length + key.length + 1_000,
      dispose: ({ group }, key, reason) => {
        if (reason === 'set') return;
        group.keys.delete(key);
        this.#tidy(group);
      },
    });
  }

  find(key: string): KeptAnswer | undefined {
    return this.#answers.get(key)?.kept;
  }

  flight(owner: Owner, key: string): Flight | undefined {
    return this.#groups.get(nameOf(owner))?.flights.get(key);
  }

  isWriting(owner: Owner): boolean {
    return (this.#groups.get(nameOf(owner))?.writing ?? 0) > 0;
  }

  /** Others may join the flight until it lands or something is written. */
  launch(owner: Owner, key: string, flight: Flight): void {
    this.#group(owner).flights.set(key, flight);
  }

  /** Keeps what a flight brought, unless something was written or dropped since it began. */
  land(owner: Owner, key: string, flight: Flight, kept: KeptAnswer | undefined): void {
    const group = this.#groups.get(nameOf(owner));
    if (group?.flights.get(key) !== flight) return;
    group.flights.delete(key);
    if (kept !== undefined) {
      this.#answers.set(key, { kept, group });
      if (this.#answers.has(key)) group.keys.set(key, kept.route); // else it was larger than all the room there is
    }
    this.#tidy(group);
  }

  beginWrite(owner: Owner): void {
    this.#group(owner).writing += 1;
  }

  endWrite(owner: Owner): void {
    const group = this.#group(owner);
    group.writing -= 1;
    this.#tidy(group);
  }

  /** How many were dropped. What is on its way is for those who asked already. */
  drop({ service, tenantId, route }: Dropped): number {
    const isExact = service !== undefined && tenantId !== undefined;
    const groups = isExact ? [this.#groups.get(nameOf({ service, tenantId }))] : [...this.#groups.values()];
    let dropped = 0;
    for (const group of groups) {
      if (group === undefined) continue;
      if ((service ?? group.owner.service) !== group.owner.service) continue;
      if ((tenantId ?? group.owner.tenantId) !== group.owner.tenantId) continue;
      dropped += this.#empty(group, route);
    }
    return dropped;
  }

  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#answers.size, bytes: this.#answers.calculatedSize };
  }

  #empty(group: Group, route: string | undefined): number {
    group.flights.clear();
    const keys = [...group.keys].filter(([, of]) => route === undefined || of === route);
    for (const [key] of keys) this.#answers.delete(key);
    this.#tidy(group);
    return keys.length;
  }

  #group(owner: Owner): Group {
    const name = nameOf(owner);
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group: Group = { owner, keys: new Map(), flights: new Map(), writing: 0 };
    this.#groups.set(name, group);
    return group;
  }

  #tidy(group: Group): void {
    const isUsed = group.keys.size > 0 || group.flights.size > 0 || group.writing > 0;
    if (!isUsed && this.#groups.get(nameOf(group.owner)) === group) this.#groups.delete(nameOf(group.owner));
  }
}

function nameOf({ service, tenantId }: Owner): string {
  return `${service} ${tenantId}`;
}
