import type { UnderstoodFile } from '@marimo/contracts';
import { type AmountSigns, noteSigns } from './amounts.ts';
import { type Notation, readCell } from './cells.ts';
import type { CellError, CellsOf, Columns, FileRow, Kind } from './columns.ts';
import { sniffEncoding } from './encoding.ts';
import { columnsOf, malformed, type NameOf } from './header.ts';
import type { PlacedCells, Sheet } from './placed-cells.ts';
import { openSheet, textOfCell } from './sheet.ts';
import { spool } from './spool.ts';

/** A file of cells that has arrived whole; its rows can be read as often as needed and never stand in memory together. */
export interface Table<C extends Columns> {
  rows(): AsyncGenerator<FileRow<C>, void, undefined>;
  /** What each column is called in its header, by its name. */
  readonly headers: ReadonlyMap<keyof C & string, string>;
  /** As it came. */
  bytes(): AsyncIterable<Buffer>;
  /** How each column was read, with the first filled cell that has been read so far. */
  understood(): UnderstoodFile;
  close(): Promise<void>;
}

/**
 * CSV as spreadsheets write it, in UTF-8, UTF-16 or Windows-1251, or the first sheet of an XLSX workbook, whatever its type
 * is said to be. Separated by commas, days and amounts are those of the API; by semicolons or tabs, those of a country
 * that writes `31.03.2026` and `1 234,56`; of a workbook, its numbers and days, and text as people of that country write
 * it. Cells are trimmed, and a row or a column without a name in which nothing is filled is none.
 *
 * `nameOf` tells the column of a header; its own name, unless told.
 *
 * Errors: MalformedRequest, when the header names a column that is not declared, lacks a required one, or is not there.
 */
export async function openTable<C extends Columns>(
  stream: AsyncIterable<Buffer>,
  columns: C,
  required: readonly (keyof C & string)[],
  nameOf: NameOf<C> = (header) => (header in columns ? header : undefined),
): Promise<Table<C>> {
  const sniffer = sniffEncoding();
  const file = await spool(stream, sniffer.see);
  try {
    const sheet = await openSheet(file, sniffer.encoding());
    const header = await headerOf(sheet);
    const headers = header.cells.map(textOfCell);
    const names = columnsOf(headers, columns, required, nameOf);
    const open = { sheet, columns, names, headers, headerRow: header.row };
    return { ...tableOf(open, await signsOf(open)), bytes: () => file.bytes(), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface OpenSheet<C extends Columns> {
  readonly sheet: Sheet;
  readonly columns: C;
  /** Of each column; null of one that is not read, empty where it has no name. */
  readonly names: readonly ((keyof C & string) | '' | null)[];
  readonly headers: readonly string[];
  readonly headerRow: number;
}

function tableOf<C extends Columns>(
  open: OpenSheet<C>,
  signs: ReadonlyMap<string, AmountSigns>,
): Omit<Table<C>, 'bytes' | 'close'> {
  const { sheet, columns, names, headers, headerRow } = open;
  const examples = new Map<string, { written: string; read: string }>();

  function fileRowOf({ row, cells, unreadable }: PlacedCells): FileRow<C> {
    const errors: CellError[] = [];
    const values: Record<string, unknown> = {};
    const refuse = (column: string | null, detail: string) => errors.push({ row, column, detail });
    if (unreadable !== undefined) {
      refuse(null, 'a quote is not closed, or stands inside a cell without quotes around it');
      return { row, cells: {}, errors, unreadable };
    }
    // Rows of a workbook end with their last filled cell.
    if (cells.length < names.length && sheet.separator !== null) {
      refuse(null, `it has ${cells.length} cells where the header has ${names.length}`);
    }
    for (const [index, cell] of cells.entries()) {
      const name = names[index];
      const header = headers[index] ?? '';
      const text = textOfCell(cell);
      if (cell === '' || name === null) continue;
      if (name === undefined || name === '') {
        refuse(null, `the cell ${JSON.stringify(text.slice(0, 50))} stands under no name in the header`);
      } else if (typeof cell === 'object' && 'wrong' in cell) {
        refuse(header, cell.wrong);
      } else if (text.includes('\ufffd')) {
        refuse(header, 'it is not valid UTF-8; save the file as "CSV UTF-8"');
      } else {
        const notation = typeof cell === 'string' ? sheet.notation : 'plain';
        const read = readCell(text, columns[name] ?? 'text', notation, signsFor(name, signs));
        if ('detail' in read) refuse(header, read.detail);
        else {
          values[name] = read.value;
          if (!examples.has(name))
            examples.set(name, { written: text.slice(0, 100), read: String(read.value).slice(0, 100) });
        }
      }
    }
    return { row, cells: values as CellsOf<C>, errors };
  }

  return {
    headers: new Map(names.flatMap((name, index) => (name ? [[name, headers[index] ?? ''] as const] : []))),
    async *rows() {
      for await (const placed of sheet.rows()) {
        if (placed.row > headerRow) yield fileRowOf(placed);
      }
    },
    understood: () => ({
      encoding: sheet.encoding,
      separator: sheet.separator,
      columns: names.flatMap((name, index): UnderstoodFile['columns'] => {
        if (name === '') return [];
        const column = headers[index] ?? '';
        if (name === null) return [{ column, field: null, readAs: 'not read', example: null }];
        const readAs = inWords(columns[name] ?? 'text', sheet.notation, signsFor(name, signs));
        return [{ column, field: name, readAs, example: examples.get(name) ?? null }];
      }),
    }),
  };
}

async function headerOf(sheet: Sheet): Promise<PlacedCells> {
  for await (const placed of sheet.rows()) {
    if (placed.unreadable === undefined) return placed;
    throw malformed('a quote in the header is not closed');
  }
  throw malformed('it has no header row');
}

/** A first look over the file: an amount such as `1,234` can be read only by what others in its column show. */
async function signsOf<C extends Columns>(open: OpenSheet<C>): Promise<Map<string, AmountSigns>> {
  const { sheet, columns, names, headerRow } = open;
  const signs = new Map<string, AmountSigns>();
  const amounts = [...names.entries()].flatMap(([index, name]) =>
    name && columns[name] === 'amount' ? [[index, name] as const] : [],
  );
  if (sheet.notation === 'plain' || amounts.length === 0) return signs;
  for (const [, name] of amounts) signs.set(name, { decimal: new Set(), grouping: new Set() });
  for await (const { row, cells } of sheet.rows()) {
    if (row <= headerRow) continue;
    for (const [index, name] of amounts) {
      const cell = cells[index];
      if (typeof cell === 'string') noteSigns(cell, signsFor(name, signs));
    }
  }
  return signs;
}

const signsFor = (name: string, signs: ReadonlyMap<string, AmountSigns>): AmountSigns =>
  signs.get(name) ?? { decimal: new Set(), grouping: new Set() };

function inWords(kind: Kind, notation: Notation, { decimal, grouping }: AmountSigns): string {
  if (typeof kind !== 'string') return `one of ${kind.join(', ')}`;
  if (kind === 'flag') return 'true or false';
  if (kind === 'day') return notation === 'plain' ? 'day, YYYY-MM-DD' : 'day, dd.mm.yyyy or YYYY-MM-DD';
  if (kind === 'moment') return 'date and time';
  if (kind !== 'amount') return kind;
  if (notation === 'plain') return 'amount, decimal point';
  const names = new Map([
    [',', 'comma'],
    ['.', 'point'],
  ]);
  const list = (set: ReadonlySet<string>) => [...set].map((sign) => names.get(sign)).join(' and ');
  const decimals = decimal.size === 0 ? 'no decimals' : `decimal ${list(decimal)}`;
  return `amount, ${decimals}${grouping.size === 0 ? '' : `, thousands ${list(grouping)}`}`;
}
