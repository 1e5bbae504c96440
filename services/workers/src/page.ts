/**
 * One page of a list, from one item more than asked for: the extra one only tells that there is a next page.
 */
export function pageFrom<Item>(
  found: readonly Item[],
  limit: number,
  cursor: (last: Item) => string,
): { items: Item[]; next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursor(last) : null };
}
