import type { AnyRecord } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { snake } from './columns.ts';
import type { Restriction } from './filters.ts';
import type { Statement } from './statement.ts';

/** More than a search that narrows anything down finds; then each row of the list is compared instead. */
const mostFound = 10_000;

/**
 * The condition that a record contains what is searched: each word in any of its forms, or its beginning; and only where
 * nothing does, words that are spelt alike.
 *
 * The index of words lies behind a function of the table's owner, because row-level security keeps operators of text
 * search away from indexes. It looks at the organisation of the transaction only (`marimo.make_searchable`). The index
 * knows all searched fields; who may not see one of them has the words of the others compared row by row.
 */
export async function searchCondition(
  tx: TenantTransaction,
  record: AnyRecord,
  text: string,
  statement: Statement,
  { hidden = [] }: Restriction = {},
): Promise<string> {
  const visible = record.searched.filter((name) => !hidden.includes(name));
  if (visible.length < record.searched.length) return hasWords(`marimo.folded(${joined(visible)})`);
  const found = await tx.rows<{ id: string }>(
    `select ${record.table}_found as id from ${record.table}_found($1, $2)`,
    [text, mostFound + 1],
  );
  const ids = found.map(({ id }) => id);
  if (ids.length <= mostFound) return `${snake(record.idField)} = any(${statement.value(ids, 'uuid[]')})`;
  const wasMistyped = !(await containsWords(tx, record, ids[0] as string, text));
  return wasMistyped ? isAlike(statement.value(text, 'text')) : hasWords('search_text');

  function hasWords(searched: string): string {
    return `marimo.words_of(${searched}) @@ marimo.query_of(${statement.value(text, 'text')})`;
  }
}

const joined = (fields: readonly string[]) => `concat_ws(' ', ${["''", ...fields.map(snake)].join(', ')})`;

/** As `<table>_found` compares. */
function isAlike(question: string): string {
  const words = `unnest(string_to_array(trim(marimo.folded(${question})), ' ')) as word`;
  return `not exists (select from ${words} where marimo.word_similarity(word, search_text) < 0.4)`;
}

async function containsWords(
  tx: TenantTransaction,
  record: AnyRecord,
  id: string,
  text: string,
): Promise<boolean> {
  const sql = `
    select from ${record.table} where tenant_id = $1 and ${snake(record.idField)} = $2
      and marimo.words_of(search_text) @@ marimo.query_of($3)`;
  return (await tx.run(sql, [tx.tenantId, id, text])) > 0;
}
