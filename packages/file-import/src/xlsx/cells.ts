import { attributeOf, richText, textOf } from './xml.ts';

/**
 * Text as somebody typed it; what the workbook knows as a number, day or truth value, written as the API does; or a cell
 * that has no value, and why.
 */
export type Cell = string | { readonly plain: string } | { readonly wrong: string };

export interface SheetContext {
  readonly strings: readonly string[];
  readonly dateStyles: ReadonlySet<number>;
  readonly countsFrom1904: boolean;
}

const mostColumns = 16_384;
/** What a spreadsheet shows of a double; the rest is noise of its arithmetic. */
const significantDigits = 15;

/** The cells of a row, blank ones as empty text. */
export function sheetCells(xml: string, context: SheetContext): Cell[] {
  const cells: Cell[] = [];
  const each = /<(?:\w+:)?c(?=[\s/>])([^>]*?)(?:\/>|>([\s\S]*?)<\/(?:\w+:)?c\s*>)/g;
  for (const [, attributes = '', content = ''] of xml.matchAll(each)) {
    const place = columnOf(/(?:^|\s)r\s*=\s*["']([A-Z]{1,3})/.exec(attributes)?.[1]) ?? cells.length;
    if (place >= mostColumns) continue;
    while (cells.length < place) cells.push('');
    cells[place] = cellOf(attributes, content, context);
  }
  return cells;
}

function columnOf(letters: string | undefined): number | undefined {
  if (letters === undefined) return undefined;
  let number = 0;
  for (let place = 0; place < letters.length; place += 1)
    number = number * 26 + letters.charCodeAt(place) - 64;
  return number - 1;
}

function cellOf(attributes: string, content: string, context: SheetContext): Cell {
  const type = /(?:^|\s)t\s*=\s*["'](\w+)/.exec(attributes)?.[1] ?? 'n';
  if (type === 'inlineStr') return richText(content);
  const value = /<(?:\w+:)?v(?:\s[^>]*)?>([\s\S]*?)<\/(?:\w+:)?v>/.exec(content)?.[1];
  if (value === undefined) return noValue(content);
  if (type === 's') return context.strings[Number.parseInt(value, 10)] ?? '';
  if (type === 'str') return textOf(value);
  if (type === 'b') return { plain: value === '1' || value === 'true' ? 'TRUE' : 'FALSE' };
  if (type === 'e') return { wrong: `it shows the error ${textOf(value)}` };
  if (type === 'd') return { plain: value.replace(/T00:00(?::00(?:\.0+)?)?$/, '') };
  const style = attributeOf(attributes, 's');
  const isDated = style !== undefined && context.dateStyles.has(Number.parseInt(style, 10));
  return { plain: isDated ? momentOf(Number(value), context) : decimalOf(value) };
}

/** Programs write formulas that only a spreadsheet can work out. */
function noValue(content: string): Cell {
  const isFormula = /<(?:\w+:)?f[\s/>]/.test(content);
  return isFormula
    ? { wrong: 'its formula has not been worked out yet; open the file in a spreadsheet and save it' }
    : '';
}

function decimalOf(text: string): string {
  if (/^-?\d{1,15}$/.test(text)) return text;
  const number = Number(text);
  if (!Number.isFinite(number)) return text;
  const short = String(Number(number.toPrecision(significantDigits)));
  return /e/i.test(short)
    ? number.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 20 })
    : short;
}

const dayMs = 86_400_000;
const from1900 = Date.UTC(1899, 11, 30);
const from1904 = Date.UTC(1904, 0, 1);

/** A day, or a day with a time by the clock of whoever wrote it. */
function momentOf(serial: number, { countsFrom1904 }: SheetContext): string {
  // Excel believes in 29 February 1900; the days before it are one further.
  const days = !countsFrom1904 && serial < 60 ? serial + 1 : serial;
  const moment = new Date((countsFrom1904 ? from1904 : from1900) + Math.round(days * dayMs));
  if (Number.isNaN(moment.getTime())) return String(serial);
  const text = moment.toISOString().slice(0, -1);
  return text.endsWith('T00:00:00.000') ? text.slice(0, 10) : text;
}
