import { MalformedRequest } from '@marimo/contracts';
import type { Refusal } from '@marimo/problems';
import type { Row } from '../rows/index.ts';

const entryColumns = ['entryId', 'journalCode', 'postingDate', 'description'] as const;
const lineColumns = ['accountCode', 'side', 'amount', 'currency', 'baseAmount', 'lineDescription'] as const;
export const csvColumns: readonly string[] = [...entryColumns, ...lineColumns];

type Cells = Readonly<Partial<Record<(typeof entryColumns)[number] | (typeof lineColumns)[number], string>>>;

interface Draft {
  readonly line: number;
  readonly head: Cells;
  readonly lines: unknown[];
  refusal: Refusal | undefined;
}

/** One more than an entry may have: enough to see that there are too many. */
const mostLines = 10_001;

/**
 * Makes entries of CSV rows, each row one line of an entry. The rows of an entry follow each other and share its
 * `entryId`; its other columns are filled in the first of them and blank or the same in the rest.
 */
export async function* entriesOfCsv(
  rows: AsyncIterable<Row>,
  baseCurrency: string,
): AsyncGenerator<Row, void, undefined> {
  let open: Draft | undefined;
  let unreadable: Row | undefined;
  for await (const row of rows) {
    if (row.refusal !== undefined) {
      unreadable = row;
      // It may have been a line of the entry before it, or of the one after.
      if (open !== undefined) open.refusal ??= besideUnreadable(row);
      yield row;
      continue;
    }
    const cells = row.value as Cells;
    if (open !== undefined && cells.entryId === open.head.entryId) {
      open.refusal ??= contradiction(open, row.line, cells);
    } else {
      if (open !== undefined) yield entryOf(open);
      const refusal = unreadable && besideUnreadable(unreadable);
      open = { line: row.line, head: cells, lines: [], refusal };
    }
    unreadable = undefined;
    if (open.lines.length < mostLines) open.lines.push(lineOf(cells, baseCurrency));
  }
  if (open !== undefined) yield entryOf(open);
}

function entryOf({ line, head, lines, refusal }: Draft): Row {
  const { entryId, journalCode, postingDate, description } = head;
  return { line, value: { entryId, journalCode, postingDate, description, lines }, refusal };
}

function lineOf(cells: Cells, baseCurrency: string): unknown {
  const { accountCode, side, amount, currency = baseCurrency, baseAmount, lineDescription } = cells;
  return {
    accountCode,
    side,
    amount: { amount, currency },
    baseAmount: baseAmount === undefined ? undefined : { amount: baseAmount, currency: baseCurrency },
    description: lineDescription,
  };
}

function contradiction({ line, head }: Draft, rowLine: number, cells: Cells): Refusal | undefined {
  const column = entryColumns.find((name) => cells[name] !== undefined && cells[name] !== head[name]);
  if (column === undefined) return undefined;
  return malformed(`/${column}`, `line ${rowLine} of the file says otherwise than line ${line}`);
}

function besideUnreadable({ line }: Row): Refusal {
  return malformed('/lines', `line ${line} of the file cannot be read and may belong to this entry`);
}

function malformed(pointer: string, detail: string): Refusal {
  return new MalformedRequest({ errors: [{ pointer, detail }] });
}
