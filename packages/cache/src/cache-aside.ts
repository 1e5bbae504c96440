import type { WrapOptions } from './store.ts';

/** Where values are kept as JSON text; each store has its own. */
export interface Shelf {
  /**
   * The kept text, or the means to keep one: it stores nothing that could be seen when the key or a tag was dropped
   * after this look, so that a slow load cannot bring back what was dropped meanwhile.
   */
  find(key: string, tags: readonly string[]): Promise<LookupResult>;
}

export type LookupResult =
  | { readonly text: string }
  | { readonly keep: (text: string, ttlMs: number) => Promise<void> };

interface Flight {
  readonly key: string;
  readonly tags: readonly string[];
  readonly text: Promise<string | undefined>;
}

/** Cache-aside with one load at a time for each key of this process. */
export class CacheAside {
  readonly #shelf: Shelf;
  readonly #flights = new Map<string, Flight>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  async wrap<T>(key: string, { ttlMs, tags = [] }: WrapOptions, load: () => Promise<T>): Promise<T> {
    const flight =
      this.#flights.get(key) ?? this.#take(key, tags, () => this.#lookOrLoad(key, tags, ttlMs, load));
    const text = await flight.text;
    // Every caller gets a value of its own, and the first the same shape as those after it. Only `undefined` has no text.
    return text === undefined ? (undefined as T) : JSON.parse(text);
  }

  /** Who asks from now on must not get the answer of a load that began before. */
  forget(key: string): void {
    this.#flights.delete(key);
  }

  forgetTag(tag: string): void {
    for (const { key, tags } of this.#flights.values()) if (tags.includes(tag)) this.#flights.delete(key);
  }

  #take(key: string, tags: readonly string[], work: () => Promise<string | undefined>): Flight {
    const flight = { key, tags, text: work() };
    this.#flights.set(key, flight);
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.text.then(land, land);
    return flight;
  }

  async #lookOrLoad(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<unknown>,
  ): Promise<string | undefined> {
    const found = await this.#shelf.find(key, tags);
    if ('text' in found) return found.text;
    const text: string | undefined = JSON.stringify(await load());
    if (text !== undefined) await found.keep(text, ttlMs);
    return text;
  }
}
