import { accounts } from '@marimo/contracts/accounting';
import { Refusal } from '@marimo/problems';
import { checkRow } from '@marimo/service-kit';
import { type Row, readCsvRows, readJsonList, readJsonRows, startTally, type Tally } from '../rows/index.ts';

export interface ChartFile {
  readonly wanted: readonly { readonly line: number; readonly account: accounts.NewAccount }[];
  /** Holds the rows that could not be read. */
  readonly tally: Tally;
}

const columns = ['code', 'name', 'type', 'parentCode', 'isGroup'];

/** A whole chart: children may come before their parents, so nothing can be decided before its end. */
export async function readChart(stream: AsyncIterable<Buffer>, contentType: string): Promise<ChartFile> {
  const tally = startTally();
  const wanted: { line: number; account: accounts.NewAccount }[] = [];
  for await (const row of rowsOf(stream, contentType)) {
    try {
      if (row.refusal !== undefined) throw row.refusal;
      wanted.push({ line: row.line, account: checkRow(accounts.NewAccount, row.value) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      tally.refuse(row.line, codeIn(row), error);
    }
  }
  return { wanted, tally };
}

async function* rowsOf(stream: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<Row> {
  if (contentType === 'application/json') yield* readJsonList(stream);
  else if (contentType === 'application/x-ndjson') yield* readJsonRows(stream);
  else for await (const row of readCsvRows(stream, columns)) yield withFlags(row);
}

/** A cell is text; the contract wants a truth value. */
function withFlags(row: Row): Row {
  if (row.refusal !== undefined) return row;
  const { isGroup, ...rest } = row.value as Record<string, string>;
  const flag = isGroup === 'true' || isGroup === 'false' ? isGroup === 'true' : isGroup;
  return { ...row, value: isGroup === undefined ? rest : { ...rest, isGroup: flag } };
}

function codeIn({ value }: Row): string | null {
  const { code } = (value ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code.slice(0, 100) : null;
}
