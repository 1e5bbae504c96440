import type { FieldKind } from '@marimo/contracts/records';
import type { FileColumn } from './file-columns.ts';
import type { ZoneClock } from './zone-time.ts';

type Read = { readonly value: unknown } | { readonly detail: string };

/** Text without the apostrophe by which an export to CSV keeps spreadsheets from running it as a formula. */
export function unmarked(cell: string | boolean): string | boolean {
  return typeof cell === 'string' && /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

type Reader = (text: string, column: FileColumn, clock: ZoneClock) => Read;

const readers: Partial<Record<FieldKind, Reader>> = {
  choice: (text, { declared, words }) => wordOf(text, declared.options ?? [], words),
  wholeNumber: wholeOf,
  decimal: (text) => ({ value: withoutZeros(text) }),
  percent: (text) => ({ value: withoutZeros(text) }),
  money: (text, { part }) => ({ value: part === 'amount' ? withoutZeros(text) : codeOf(text) }),
  quantity: (text, { part }) => ({ value: part === 'value' ? withoutZeros(text) : codeOf(text) }),
  address: (text, { part }) => ({ value: part === 'country' ? codeOf(text) : text }),
  tags: (text) => ({
    value: text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  }),
  instant: (text, _, clock) => ({ value: momentOf(text, clock) }),
};

/** The value of one cell as the API takes it; `text` is what the file reader has read of it. */
export function readValue(column: FileColumn, text: string | boolean, clock: ZoneClock): Read {
  if (typeof text === 'boolean') return { value: text };
  return readers[column.declared.kind]?.(text, column, clock) ?? { value: text };
}

function wordOf(text: string, options: readonly string[], words: FileColumn['words']): Read {
  const wanted = text.toLowerCase();
  const found = options.find((option) => {
    const { en, ru } = words?.[option] ?? { en: option, ru: option };
    return [option, en, ru].some((each) => each.toLowerCase() === wanted);
  });
  if (found !== undefined) return { value: found };
  return { detail: `${JSON.stringify(text)} is not one of ${options.join(', ')}` };
}

function wholeOf(text: string): Read {
  return /^-?\d{1,16}(\.0+)?$/.test(text)
    ? { value: Number.parseInt(text, 10) }
    : { detail: `${JSON.stringify(text)} is not a whole number` };
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** People write `rub`; codes are in capitals. */
function codeOf(text: string): string {
  return text.toUpperCase();
}

/** One without an offset is by the clock of the organisation. */
function momentOf(text: string, clock: ZoneClock): string {
  const isLocal = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/.test(text);
  if (!isLocal) return text;
  return clock.momentOf(text.length === 10 ? `${text}T00:00` : text).toISOString();
}
