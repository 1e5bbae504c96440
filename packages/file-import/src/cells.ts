import { type AmountSigns, readAmount } from './amounts.ts';
import type { Kind } from './columns.ts';

/** How a file writes days and amounts: as the API does, or as spreadsheets write them for people. */
export type Notation = 'plain' | 'local';

type Read = { readonly value: string | boolean } | { readonly detail: string };

/** Reads one cell that is not blank. Plain days and amounts are left to the record's own check. */
export function readCell(text: string, kind: Kind, notation: Notation, signs: AmountSigns): Read {
  if (typeof kind !== 'string') return readWord(text, kind);
  if (kind === 'id') return { value: canonicalId(text) };
  if (kind === 'flag') return readFlag(text);
  if (notation === 'plain' || kind === 'text') return { value: text };
  if (kind === 'moment') return readMoment(text);
  return kind === 'day' ? readDay(text) : readAmount(text, signs);
}

function readWord(text: string, words: readonly string[]): Read {
  const word = words.find((each) => each.toLowerCase() === text.toLowerCase());
  return word === undefined
    ? { detail: `${JSON.stringify(text)} is not one of ${words.join(', ')}` }
    : { value: word };
}

// A spreadsheet writes truth in its own language.
const flags = new Map([
  ['true', true],
  ['false', false],
  ['истина', true],
  ['ложь', false],
]);

function readFlag(text: string): Read {
  const value = flags.get(text.toLowerCase());
  return value === undefined ? { detail: `${JSON.stringify(text)} is neither true nor false` } : { value };
}

function readDay(text: string): Read {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return { value: text };
  const [, day = '', month = '', year = ''] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text) ?? [];
  if (year !== '') return { value: `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` };
  return { detail: `${JSON.stringify(text)} is not a day written 31.03.2026 or 2026-03-31` };
}

/** A moment with its offset stays as it is; one without is by the clock of whoever wrote it. */
function readMoment(text: string): Read {
  const [, day = '', time = '00:00'] =
    /^(\d{1,2}\.\d{1,2}\.\d{4})(?:[ T]+(\d{1,2}:\d{2}(?::\d{2})?))?$/.exec(text) ?? [];
  const read = day === '' ? { value: text } : readDay(day);
  return day !== '' && 'value' in read ? { value: `${read.value}T${time.replace(/^(?=\d:)/, '0')}` } : read;
}

/** A UUID in its one spelling, whatever its capitals, braces and hyphens; other text as it is. */
export function canonicalId(text: string): string {
  const digits = text.replace(/^urn:uuid:/i, '').replace(/[{}\s-]/g, '');
  if (!/^[0-9a-f]{32}$/i.test(digits)) return text;
  return digits.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
