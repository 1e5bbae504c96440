import { journalEntries } from '@marimo/contracts/accounting';
import { type CellError, type CellsOf, checkCells, refusedCells, type Table } from '@marimo/file-import';
import { Refusal } from '@marimo/problems';
import type { entryColumns } from './columns.ts';
import type { FileEntry } from './file-entry.ts';
import { findScattered } from './scattered.ts';

type Cells = CellsOf<typeof entryColumns>;

const ofEntry = ['entryId', 'journalCode', 'postingDate', 'description'] as const;
const neededOfEntry = ['entryId', 'postingDate', 'description'] as const;
const neededOfLine = ['accountCode', 'side', 'amount'] as const;
export const neededColumns = [...neededOfEntry, ...neededOfLine];

interface Draft {
  readonly head: Cells;
  readonly rows: number[];
  readonly lines: unknown[];
  readonly errors: CellError[];
}

const mostLines = 10_000;

/**
 * Makes entries of rows, each row one line of an entry. The rows of an entry follow each other and share its `entryId`;
 * its other columns are filled in the first of them and blank or the same in the rest. A row without an id goes on
 * with the entry above. What may be a line of an entry and cannot be made one refuses it: an entry is never posted with
 * a line missing, so the file is looked over for scattered rows before the first entry leaves.
 */
export async function* entriesOf(
  table: Table<typeof entryColumns>,
  baseCurrency: string,
): AsyncGenerator<FileEntry, void, undefined> {
  const scattered = await findScattered(table.rows());
  let open: Draft | undefined;
  let unreadable: number | undefined;

  function* finish(): Generator<FileEntry, void, undefined> {
    const place = scattered.get(open?.head.entryId ?? '');
    if (open === undefined || place?.isTold) return;
    if (place !== undefined) {
      place.isTold = true;
      const detail = `the rows of this entry do not follow each other: some begin in row ${place.first}, more in row ${place.next}`;
      open.errors.unshift({ row: place.first, column: 'entryId', detail });
    }
    yield fileEntryOf(open);
  }

  for await (const { row, cells, errors, unreadable: text } of table.rows()) {
    const { entryId } = cells;
    if (text !== undefined || !isPlaced(entryId, errors)) {
      // It may have been a line of the entry before it, or of the one after.
      open?.errors.push(besideUnreadable(row));
      unreadable = row;
      const notId = { row, column: 'entryId', detail: `${JSON.stringify(entryId)} is not a UUID` };
      yield { row, entryId, refusal: refusedCells(entryId === undefined ? errors : [notId, ...errors]) };
      continue;
    }
    if (open === undefined || (entryId !== undefined && entryId !== open.head.entryId)) {
      yield* finish();
      open = {
        head: cells,
        rows: [],
        lines: [],
        errors: unreadable === undefined ? [] : [besideUnreadable(unreadable)],
      };
      requireFilled(open, row, cells, neededOfEntry, errors);
    }
    if (entryId !== undefined) unreadable = undefined;
    takeLine(open, row, cells, errors, baseCurrency);
  }
  yield* finish();
}

/** Whether it is plain which entry a row belongs to; without an id it is the one above. */
function isPlaced(entryId: string | undefined, errors: readonly CellError[]): boolean {
  if (entryId !== undefined) return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(entryId);
  return !errors.some(({ column }) => column === null || column === 'entryId');
}

function takeLine(
  draft: Draft,
  row: number,
  cells: Cells,
  errors: readonly CellError[],
  baseCurrency: string,
): void {
  draft.errors.push(...errors);
  const other = ofEntry.filter((name) => cells[name] !== undefined && cells[name] !== draft.head[name]);
  for (const column of other) {
    draft.errors.push({
      row,
      column,
      detail: `it differs from row ${draft.rows[0] ?? row}, where the entry begins`,
    });
  }
  requireFilled(draft, row, cells, neededOfLine, errors);
  if (draft.lines.length > mostLines) return;
  draft.rows.push(row);
  draft.lines.push(lineOf(cells, baseCurrency));
}

function requireFilled(
  draft: Draft,
  row: number,
  cells: Cells,
  needed: readonly (keyof Cells)[],
  errors: readonly CellError[],
): void {
  for (const column of needed) {
    const isMissing = cells[column] === undefined && !errors.some((error) => error.column === column);
    if (isMissing) draft.errors.push({ row, column, detail: 'it is empty' });
  }
}

function lineOf(cells: Cells, baseCurrency: string): unknown {
  const { accountCode, side, amount, currency = baseCurrency, baseAmount, lineDescription } = cells;
  return {
    accountCode,
    side,
    amount: { amount, currency: currency.toUpperCase() },
    baseAmount: baseAmount === undefined ? undefined : { amount: baseAmount, currency: baseCurrency },
    description: lineDescription,
  };
}

function fileEntryOf(draft: Draft): FileEntry {
  const { rows, errors } = draft;
  const row = rows[0] ?? 0;
  const { entryId, journalCode, postingDate, description } = draft.head;
  try {
    if (errors.length === 0) requireLineCount(row, rows.length);
    if (errors.length > 0) throw refusedCells(errors);
    const value = { entryId, journalCode, postingDate, description, lines: draft.lines };
    const entry = checkCells(journalEntries.PostJournalEntry, value, (path) => placeOf(path, rows));
    return { row, rows, entry };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { row, entryId, refusal: error };
  }
}

function requireLineCount(row: number, count: number): void {
  const detail =
    count < 2
      ? 'this entry has one row; it needs two or more, a debit and a credit'
      : `this entry has more than ${mostLines} rows`;
  if (count < 2 || count > mostLines) throw refusedCells([{ row, column: 'entryId', detail }]);
}

/** Where a field of the entry stands in the file. */
function placeOf([field, index, part, money]: readonly string[], rows: readonly number[]) {
  if (field !== 'lines') return { row: rows[0] ?? 0, column: field ?? null };
  if (part === undefined) return { row: rows[Number(index)] ?? rows[0] ?? 0, column: null };
  const column = part === 'description' ? 'lineDescription' : money === 'currency' ? 'currency' : part;
  return { row: rows[Number(index)] ?? 0, column };
}

function besideUnreadable(row: number): CellError {
  return { row, column: null, detail: 'this row cannot be read and may belong to the entry' };
}
