import type { UnderstoodFile } from '@marimo/contracts';
import { type AmountSigns, noteSigns } from './amounts.ts';
import { type Notation, readCell } from './cells.ts';
import type { CellError, CellsOf, Columns, FileRow, Kind } from './columns.ts';
import { decoded, type Encoding, sniffEncoding } from './encoding.ts';
import { columnsOf, type Layout, layoutOf, malformed } from './header.ts';
import { readRecords } from './records.ts';
import { type SpooledFile, spool } from './spool.ts';

/** A CSV file that has arrived whole; its rows can be read as often as needed and never stand in memory together. */
export interface Table<C extends Columns> {
  rows(): AsyncGenerator<FileRow<C>, void, undefined>;
  /** How each column was read, with the first filled cell that has been read so far. */
  understood(): UnderstoodFile;
  close(): Promise<void>;
}

interface PlacedCells {
  readonly row: number;
  readonly cells: readonly string[];
  readonly unreadable?: string;
}

/**
 * CSV as spreadsheets write it, in UTF-8, UTF-16 or Windows-1251. Separated by commas, days and amounts are those of the
 * API; by semicolons or tabs, those of a country that writes `31.03.2026` and `1 234,56`. Cells are trimmed, and a row
 * or a column without a name in which nothing is filled is none.
 *
 * Errors: MalformedRequest, when the header names a column that is not declared, lacks a required one, or is not there.
 */
export async function openTable<C extends Columns>(
  stream: AsyncIterable<Buffer>,
  columns: C,
  required: readonly (keyof C & string)[],
): Promise<Table<C>> {
  const sniffer = sniffEncoding();
  const file = await spool(stream, sniffer.see);
  try {
    const encoding = sniffer.encoding();
    const layout = layoutOf(await startOf(file, encoding));
    const header = await headerOf(file, encoding, layout);
    const names = columnsOf(header.cells, columns, required);
    const table = { file, encoding, layout, columns, names, headerRow: header.row };
    return tableOf(table, await signsOf(table));
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface OpenFile<C extends Columns> {
  readonly file: SpooledFile;
  readonly encoding: Encoding;
  readonly layout: Layout;
  readonly columns: C;
  readonly names: readonly (keyof C & string)[];
  readonly headerRow: number;
}

function tableOf<C extends Columns>(open: OpenFile<C>, signs: ReadonlyMap<string, AmountSigns>): Table<C> {
  const { file, encoding, layout, columns, names, headerRow } = open;
  const notation = notationOf(layout);
  const examples = new Map<string, { written: string; read: string }>();

  function fileRowOf({ row, cells, unreadable }: PlacedCells): FileRow<C> {
    const errors: CellError[] = [];
    const values: Record<string, unknown> = {};
    const refuse = (column: string | null, detail: string) => errors.push({ row, column, detail });
    if (unreadable !== undefined) {
      refuse(null, 'a quote is not closed, or stands inside a cell without quotes around it');
      return { row, cells: {}, errors, unreadable };
    }
    if (cells.length < names.length) {
      refuse(null, `it has ${cells.length} cells where the header has ${names.length}`);
    }
    for (const [index, text] of cells.entries()) {
      const name = names[index];
      if (text === '') continue;
      if (name === undefined || name === '') {
        refuse(null, `the cell ${JSON.stringify(text.slice(0, 50))} stands under no name in the header`);
      } else if (text.includes('\ufffd')) {
        refuse(name, 'it is not valid UTF-8; save the file as "CSV UTF-8"');
      } else {
        const read = readCell(text, columns[name] ?? 'text', notation, signsFor(name, signs));
        if ('detail' in read) refuse(name, read.detail);
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
    async *rows() {
      for await (const placed of placedCells(file, encoding, layout)) {
        if (placed.row > headerRow) yield fileRowOf(placed);
      }
    },
    understood: () => ({
      encoding,
      separator: layout.separator,
      columns: names
        .filter((name) => name !== '')
        .map((name) => ({
          column: name,
          readAs: inWords(columns[name] ?? 'text', notation, signsFor(name, signs)),
          example: examples.get(name) ?? null,
        })),
    }),
    close: () => file.close(),
  };
}

async function startOf(file: SpooledFile, encoding: Encoding): Promise<string> {
  let start = '';
  for await (const text of decoded(file.bytes(), encoding)) {
    start += text;
    if (/\S[^\r\n]*[\r\n]+[^\r\n]*\S[^\r\n]*[\r\n]/.test(start) || start.length > 1_000_000) break;
  }
  return start;
}

async function headerOf(file: SpooledFile, encoding: Encoding, layout: Layout): Promise<PlacedCells> {
  for await (const placed of placedCells(file, encoding, layout)) {
    if (placed.unreadable === undefined) return placed;
    throw malformed('a quote in the header is not closed');
  }
  throw malformed('it has no header row');
}

/** The rows in which something is filled. */
async function* placedCells(
  file: SpooledFile,
  encoding: Encoding,
  { separator, skip }: Layout,
): AsyncGenerator<PlacedCells> {
  let row = 0;
  for await (const record of readRecords(behind(skip, decoded(file.bytes(), encoding)), separator)) {
    row += 1;
    if ('unreadable' in record) yield { row, cells: [], unreadable: record.unreadable };
    else {
      const cells = record.cells.map((cell) => cell.trim());
      if (cells.some((cell) => cell !== '')) yield { row, cells };
    }
  }
}

async function* behind(skip: number, text: AsyncIterable<string>): AsyncGenerator<string> {
  let left = skip;
  for await (const piece of text) {
    yield piece.slice(left);
    left = Math.max(0, left - piece.length);
  }
}

/** A first look over the file: an amount such as `1,234` can be read only by what others in its column show. */
async function signsOf<C extends Columns>(open: OpenFile<C>): Promise<Map<string, AmountSigns>> {
  const { file, encoding, layout, columns, names, headerRow } = open;
  const signs = new Map<string, AmountSigns>();
  const amounts = [...names.entries()].filter(([, name]) => columns[name] === 'amount');
  if (notationOf(layout) === 'plain' || amounts.length === 0) return signs;
  for (const [, name] of amounts) signs.set(name, { decimal: new Set(), grouping: new Set() });
  for await (const { row, cells } of placedCells(file, encoding, layout)) {
    if (row <= headerRow) continue;
    for (const [index, name] of amounts) noteSigns(cells[index] ?? '', signsFor(name, signs));
  }
  return signs;
}

const notationOf = ({ separator }: Layout): Notation => (separator === ',' ? 'plain' : 'local');

const signsFor = (name: string, signs: ReadonlyMap<string, AmountSigns>): AmountSigns =>
  signs.get(name) ?? { decimal: new Set(), grouping: new Set() };

function inWords(kind: Kind, notation: Notation, { decimal, grouping }: AmountSigns): string {
  if (typeof kind !== 'string') return `one of ${kind.join(', ')}`;
  if (kind === 'flag') return 'true or false';
  if (kind === 'day') return notation === 'plain' ? 'day, YYYY-MM-DD' : 'day, dd.mm.yyyy or YYYY-MM-DD';
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
