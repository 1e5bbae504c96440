import { fileURLToPath } from 'node:url';
import { Money } from '@marimo/measures';
import pdfmake from 'pdfmake';
import type { Content, PrintedForm } from './form.ts';
import { moneyText } from './texts.ts';

/** DejaVu has Latin, Cyrillic and Greek, and the signs of currencies. */
const fonts = import.meta.resolve('dejavu-fonts-ttf/package.json');
const fontFile = (name: string) => fileURLToPath(new URL(`ttf/DejaVuSansCondensed${name}.ttf`, fonts));
const files = [fontFile(''), fontFile('-Bold')] as const;
pdfmake.setFonts({ DejaVu: { normal: files[0], bold: files[1] } });
// A form never fetches anything: neither a file of this machine besides the fonts nor an address.
pdfmake.setLocalAccessPolicy((path) => (files as readonly string[]).includes(path));
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setTableLayouts({
  lines: {
    hLineWidth: () => 0.5,
    vLineWidth: () => 0.5,
    hLineColor: () => '#999999',
    vLineColor: () => '#999999',
  },
});

/** A piece of the content after it was laid out. */
interface Placed {
  readonly mark?: string;
  readonly positions?: readonly { readonly pageNumber: number }[];
}

/** Renders forms one after the other into one file; each begins on a page of its own, and its pages are counted by themselves. */
export async function renderForms(forms: readonly PrintedForm[]): Promise<Uint8Array> {
  const placed = forms.map((form, place) => {
    const start = { text: '', ...(place > 0 && { pageBreak: 'before' as const }) };
    return { form, start, content: [start, ...form.content] };
  });
  const starts = () => placed.map(({ start }) => pageOf(start));
  const [first] = forms;
  const made = pdfmake.createPdf({
    pageSize: 'A4',
    pageMargins: [40, 40, 40, 50],
    defaultStyle: { font: 'DejaVu', fontSize: 9 },
    info: { title: first?.title ?? '', creationDate: new Date(`${first?.day ?? '1970-01-01'}T00:00:00Z`) },
    language: first?.language ?? 'en',
    content: placed.map(({ content }) => content),
    footer(page: number, pages: number) {
      const from = starts();
      const place = from.findLastIndex((start) => start <= page);
      const { form, content } = placed[place] as (typeof placed)[number];
      const begin = from[place] as number;
      const count = (from[place + 1] ?? pages + 1) - begin;
      return footOf(form, content, page, `${page - begin + 1} / ${count}`);
    },
  });
  return new Uint8Array(await made.getBuffer());
}

function footOf(form: PrintedForm, content: readonly Content[], page: number, count: string): Content {
  const sum = form.pageSums === undefined ? [] : pageSum(form, content, page);
  return {
    margin: [40, 6, 40, 0],
    fontSize: 8,
    color: '#555555',
    stack: [...sum, { columns: [{ text: form.title }, { text: count, alignment: 'right' }] }],
  };
}

/** Sums what the rows of a page add; nothing where it has none. */
function pageSum({ pageSums, language }: PrintedForm, content: readonly Content[], page: number): Content[] {
  if (pageSums === undefined) return [];
  const { label, currency, minorByMark } = pageSums;
  const own = rowsIn(content).filter(
    (row) => row.mark !== undefined && row.mark in minorByMark && pageOf(row) === page,
  );
  if (own.length === 0) return [];
  const minor = own.reduce((sum, { mark = '' }) => sum + BigInt(minorByMark[mark] ?? 0), 0n);
  return [{ text: `${label}: ${moneyText(Money.ofMinor(minor, currency), language)}`, alignment: 'right' }];
}

/** The first cells of all rows. */
function rowsIn(content: readonly Content[]): Placed[] {
  return content.flatMap((each) => {
    const body = (each as { readonly table?: { readonly body: readonly (readonly Placed[])[] } }).table?.body;
    return body?.flatMap(([cell]) => cell ?? []) ?? [];
  });
}

/** pdfmake notes on each piece where it has put it. */
function pageOf(piece: object): number {
  return (piece as Placed).positions?.[0]?.pageNumber ?? 1;
}
