import type { AnyRecord } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake } from './columns.ts';
import type { Statement } from './statement.ts';

/** More than a search that narrows anything down finds; then each row of the list is compared instead. */
const mostFound = 10_000;

/**
 * The condition that a record contains what is searched: each word in any of its forms, or its beginning; and only where
 * nothing does, words that are spelt alike.
 *
 * The index of words lies behind a function of the table's owner, because row-level security keeps operators of text
 * search away from indexes. It looks at the organisation of the transaction only (`marimo.make_searchable`).
 */
export async function searchCondition(
  tx: TenantTransaction,
  record: AnyRecord,
  text: string,
  statement: Statement,
): Promise<string> {
  const found = await tx.rows<{ id: string }>(
    `select ${record.table}_found as id from ${record.table}_found($1, $2)`,
    [text, mostFound + 1],
  );
  if (found.length <= mostFound) {
    const ids = statement.value(
      found.map(({ id }) => id),
      'uuid[]',
    );
    return `${snake(record.idField)} = any(${ids})`;
  }
  return `marimo.words_of(search_text) @@ marimo.query_of(${statement.value(text)})`;
}
