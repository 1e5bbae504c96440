import type { z } from 'zod';
import { cursorOf, readCursor } from './cursor.ts';

/** In which order a list goes: the parts of its key, and the key of an item. */
export interface PageOrder<Item, Parts extends KeyParts> {
  readonly parts: Parts;
  /** Instants go as their ISO text, bigints as theirs. */
  readonly keyOf: (item: Item) => readonly (string | number | Date)[];
}

/** What a store is asked for: `limit` items after that key, or from the beginning. */
export interface Slice<Parts extends KeyParts> {
  readonly after: KeyOf<Parts> | undefined;
  readonly limit: number;
}

type KeyParts = readonly [z.ZodType, ...z.ZodType[]];
type KeyOf<Parts extends KeyParts> = { readonly [Place in keyof Parts]: z.output<Parts[Place]> };

/**
 * One page of a list that is read in the order of a key: one item more than the page holds is asked for, so that the
 * last page knows that it is the last.
 *
 * Errors: MalformedRequest, when `after` is no `next` of this list.
 */
export async function readPage<Item, const Parts extends KeyParts>(
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  order: PageOrder<Item, Parts>,
  read: (slice: Slice<Parts>) => Promise<readonly Item[]>,
): Promise<{ items: Item[]; next: string | null }> {
  const key = readCursor(after, ...order.parts) as KeyOf<Parts> | undefined;
  const found = await read({ after: key, limit: limit + 1 });
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : cursorOf(...order.keyOf(last)) };
}
