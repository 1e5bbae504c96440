import { canonicalId, type FileRow } from '@marimo/file-import';
import type { entryColumns } from './columns.ts';

/** The first rows of two places where the rows of one entry stand. */
export interface Scattered {
  readonly first: number;
  readonly next: number;
  isTold: boolean;
}

const uuids = /\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?/gi;

/**
 * Looks over a file for entries whose rows do not follow each other, by id. A row that cannot be taken apart counts
 * with every id that its text holds. Keeps one id and one number for each entry of the file.
 */
export async function findScattered(
  rows: AsyncIterable<FileRow<typeof entryColumns>>,
): Promise<Map<string, Scattered>> {
  const firstRows = new Map<string, number>();
  const scattered = new Map<string, Scattered>();
  let open: string | undefined;
  const see = (id: string, row: number) => {
    const first = firstRows.get(id);
    if (first === undefined) firstRows.set(id, row);
    else if (id !== open && !scattered.has(id)) scattered.set(id, { first, next: row, isTold: false });
    open = id;
  };
  for await (const { row, cells, unreadable } of rows) {
    if (cells.entryId !== undefined) see(cells.entryId, row);
    for (const [id] of unreadable?.matchAll(uuids) ?? []) see(canonicalId(id), row);
  }
  return scattered;
}
