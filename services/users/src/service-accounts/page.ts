import { serviceAccounts } from '@marimo/contracts/users';
import { cursorOf, readCursor } from '@marimo/service-kit';
import type { Position } from './store.ts';

export function positionIn({ after }: { readonly after?: string | undefined }): Position | undefined {
  const { createdAt: moment, accountId: id } = serviceAccounts.ServiceAccount.shape;
  const position = readCursor(after, moment, id);
  return position && { createdAt: position[0], id: position[1] };
}

/** One page of what is listed newest first, from one item more than asked for, which tells that there is a next. */
export function pageFrom<Item extends { readonly createdAt: string }>(
  found: readonly Item[],
  limit: number,
  idOf: (item: Item) => string,
): { items: Item[]; next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const more = found.length > limit && last !== undefined;
  return { items, next: more ? cursorOf(last.createdAt, idOf(last)) : null };
}
