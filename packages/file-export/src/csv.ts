import type { CellValue, ExportColumn, ExportRow } from './sheet.ts';

/** `local`: semicolons, a byte order mark, `31.03.2026` and `1234,56`, as spreadsheets of such a country expect. */
export type CsvDialect = 'plain' | 'local';

/**
 * Text that a spreadsheet would run as a formula is marked with an apostrophe. Text that looks marked already is marked
 * once more, so that an import can take exactly one away.
 */
const runsAsFormula = /^'*[=+\-@\t\r]/;

/** CSV (RFC 4180) of the rows, page by page. */
export async function* csvOf(
  columns: readonly ExportColumn[],
  pages: AsyncIterable<readonly ExportRow[]>,
  dialect: CsvDialect,
): AsyncGenerator<Buffer, void, undefined> {
  const separator = dialect === 'local' ? ';' : ',';
  const lineOf = (cells: readonly string[]) => `${cells.join(separator)}\r\n`;
  const header = lineOf(columns.map(({ header: name }) => quoted(name, separator)));
  // With the first rows: whoever waits for a beginning then knows that there are rows to be had.
  let text = dialect === 'local' ? `\ufeff${header}` : header;
  for await (const rows of pages) {
    for (const row of rows) {
      text += lineOf(
        columns.map(({ kind }, place) => quoted(written(row[place] ?? null, kind, dialect), separator)),
      );
    }
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function written(value: CellValue, kind: ExportColumn['kind'], dialect: CsvDialect): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'boolean') return flagOf(value, dialect);
  if (kind === 'text') return runsAsFormula.test(value) ? `'${value}` : value;
  if (dialect === 'plain') return value;
  return kind === 'day' ? value.replace(/^(\d{4})-(\d\d)-(\d\d)$/, '$3.$2.$1') : withComma(value);
}

function flagOf(value: boolean, dialect: CsvDialect): string {
  if (dialect === 'local') return value ? 'ИСТИНА' : 'ЛОЖЬ';
  return value ? 'TRUE' : 'FALSE';
}

/** With three decimals `1,234` could be read as 1234, so it gets a fourth. */
function withComma(number: string): string {
  return number.replace(/^(-?[1-9]\d{0,2}\.\d{3})$/, '$10').replace('.', ',');
}

function quoted(text: string, separator: string): string {
  const isPlain = !/["\t\r\n]/.test(text) && !text.includes(separator) && text.trim() === text;
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}
