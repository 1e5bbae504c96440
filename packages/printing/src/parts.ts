import { Money } from '@marimo/measures';
import type { Content, PageSums } from './form.ts';

export function heading(title: string): Content {
  return { text: title, bold: true, fontSize: 14, margin: [0, 8, 0, 8] };
}

/** Who takes part: `Supplier`, with its name and whatever else identifies it. */
export function parties(
  all: readonly { readonly label: string; readonly lines: readonly string[] }[],
): Content {
  const body = all.map(({ label, lines }): Content[] => [
    { text: `${label}:`, color: '#555555' },
    { text: lines.join('\n') },
  ]);
  return { table: { widths: ['auto', '*'], body }, layout: 'noBorders', margin: [0, 0, 0, 8] };
}

export interface TableColumn {
  readonly title: string;
  /** Points; `*` takes what is left, `auto` what it needs. */
  readonly width?: number | '*' | 'auto';
  readonly align?: 'left' | 'right';
}

export interface TableRow {
  readonly cells: readonly string[];
  /** What the row adds to the sum of its page. */
  readonly sum?: Money;
}

/** The lines, numbered, with the head repeated on each page. A row is never broken between two pages. */
export function linesTable(columns: readonly TableColumn[], rows: readonly TableRow[]): Content {
  const numbered: TableColumn[] = [{ title: '№', width: 'auto', align: 'right' }, ...columns];
  const head = numbered.map(
    ({ title, align = 'left' }): Content => ({
      text: title,
      bold: true,
      alignment: align,
      fillColor: '#eeeeee',
    }),
  );
  const body = rows.map(({ cells }, place) =>
    [String(place + 1), ...cells].map(
      (text, column): Content => ({
        text,
        alignment: numbered[column]?.align ?? 'left',
        ...(column === 0 && { mark: markOf(place) }),
      }),
    ),
  );
  return {
    table: {
      headerRows: 1,
      dontBreakRows: true,
      widths: numbered.map(({ width = 'auto' }) => width),
      body: [head, ...body],
    },
    layout: 'lines',
  };
}

/** For a table whose page sums are wanted; `currency` of all its rows. */
export function pageSumsOf(label: string, currency: string, rows: readonly TableRow[]): PageSums {
  const marked = rows.map(({ sum = Money.zero(currency) }, place) => [markOf(place), String(sum.minor)]);
  return { label, currency, minorByMark: Object.fromEntries(marked) };
}

const markOf = (place: number) => `row-${place}`;

/** Below the lines, at the right: `Net`, `Tax`, `Total`; the last is bold. */
export function totalsBlock(rows: readonly (readonly [label: string, value: string])[]): Content {
  const body = rows.map(([label, value], place): Content[] => {
    const bold = place === rows.length - 1;
    return [
      { text: '' },
      { text: `${label}:`, alignment: 'right', bold },
      { text: value, alignment: 'right', bold },
    ];
  });
  return {
    table: { widths: ['*', 'auto', 'auto'], body },
    layout: 'noBorders',
    margin: [0, 6, 0, 6],
    unbreakable: true,
  };
}

export function paragraph(text: string, { bold = false }: { readonly bold?: boolean } = {}): Content {
  return { text, bold, margin: [0, 2, 0, 2] };
}

/** Who signs, each with room for it. */
export function signatures(labels: readonly string[]): Content {
  const columns = labels.map((label) => ({ text: `${label} ____________________` }));
  return { columns, columnGap: 20, margin: [0, 24, 0, 0], unbreakable: true };
}

/** A QR code, such as of a payment; `sizePoints` is the side of its square. */
export function qrCode(text: string, sizePoints = 90): Content {
  return { qr: text, fit: sizePoints, eccLevel: 'M', margin: [0, 8, 0, 0] };
}
