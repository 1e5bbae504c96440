/** `number` and `amount` are decimal text, `day` is `YYYY-MM-DD`, `moment` a Date. */
export type CellKind = 'text' | 'number' | 'amount' | 'day' | 'moment' | 'flag';
export type CellValue = string | boolean | Date | null;
export type ExportRow = readonly CellValue[];

export interface ExportColumn {
  readonly header: string;
  readonly kind: CellKind;
}

/** The place of each in `cellXfs` of the workbook's styles. */
export const styles = { plain: 0, header: 1, amount: 2, day: 3, moment: 4, quoted: 5 } as const;

const firstSerialDay = Date.UTC(1899, 11, 30);
const dayMs = 86_400_000;
/** Before it the serial days of Excel are off by one: it believes in 29 February 1900. */
const firstCertainDay = '1900-03-01';
/** A cell holds a double: what has more digits stays text, so that none is lost. */
const mostDigits = 15;

/** How far local clocks are ahead of UTC at that moment. */
export type OffsetMs = (at: Date) => number;

/** The letters of each column: A, B, … AA. */
export function lettersOf(columns: number): string[] {
  return Array.from({ length: columns }, (_, place) => {
    let letters = '';
    for (let rest = place + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
      letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
    }
    return letters;
  });
}

/** One row as SpreadsheetML. */
export function rowXml(
  number: number,
  row: ExportRow,
  kinds: readonly CellKind[],
  letters: readonly string[],
  offsetMs: OffsetMs,
): string {
  let xml = `<row r="${number}">`;
  for (let place = 0; place < kinds.length; place += 1) {
    const value = row[place] ?? null;
    if (value !== null && value !== '') {
      xml += cellXml(`${letters[place]}${number}`, value, kinds[place] as CellKind, offsetMs);
    }
  }
  return `${xml}</row>`;
}

function cellXml(at: string, value: string | boolean | Date, kind: CellKind, offsetMs: OffsetMs): string {
  if (typeof value === 'boolean') return `<c r="${at}" t="b"><v>${value ? 1 : 0}</v></c>`;
  if (value instanceof Date) {
    const serial = (value.getTime() + offsetMs(value) - firstSerialDay) / dayMs;
    return `<c r="${at}" s="${styles.moment}"><v>${serial}</v></c>`;
  }
  if (kind === 'day' && value >= firstCertainDay) {
    return `<c r="${at}" s="${styles.day}"><v>${(Date.parse(value) - firstSerialDay) / dayMs}</v></c>`;
  }
  if ((kind === 'number' || kind === 'amount') && fitsDouble(value)) {
    const style = kind === 'amount' ? ` s="${styles.amount}"` : '';
    return `<c r="${at}"${style}><v>${value}</v></c>`;
  }
  return textXml(at, value, /^[=+\-@]/.test(value) ? styles.quoted : styles.plain);
}

function fitsDouble(number: string): boolean {
  return (
    number.length <= mostDigits || number.replace(/^-?0*\.?0*/, '').replace('.', '').length <= mostDigits
  );
}

/** `quoted`: when somebody edits the cell, it stays text instead of becoming a formula. */
export function textXml(at: string, text: string, style: number): string {
  const styled = style === styles.plain ? '' : ` s="${style}"`;
  return `<c r="${at}"${styled} t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
}

/** What XML cannot hold is written as SpreadsheetML does it: `_x000D_`. */
export function escaped(text: string): string {
  if (!/[&<>"\p{Cc}\ufffe\uffff]|_x[0-9A-Fa-f]{4}_/u.test(text)) return text;
  return text
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(
      /(?![\t\n])[\p{Cc}\ufffe\uffff]/gu,
      (sign) => `_x${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
    );
}
