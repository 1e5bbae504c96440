import { MalformedRequest } from '@marimo/contracts';
import type { Columns } from './columns.ts';

/** How the file is laid out, as its first lines say. */
export interface Layout {
  readonly separator: string;
  /** The characters of Excel's own first line, `sep=;`, which it shows to no person. */
  readonly skip: number;
}

const separatorLine = /^"?sep=(.)"?[;,\t]*(?:\r\n|\n|\r)/i;
/** How the older .xls begins. */
const olderWorkbook = '\ufffd\ufffd\u0011\ufffd';

/** Errors: MalformedRequest, when the file is a workbook instead of text. */
export function layoutOf(start: string): Layout {
  if (start.startsWith(olderWorkbook))
    throw malformed('it is an older Excel workbook (.xls); save it as .xlsx or "CSV UTF-8" and send that');
  const told = separatorLine.exec(start);
  const skip = told?.[0].length ?? 0;
  const line = /[^\r\n]*\S[^\r\n]*/.exec(start.slice(skip))?.[0] ?? '';
  const separator = told?.[1] ?? ['\t', ';'].find((sign) => line.includes(sign)) ?? ',';
  return { separator, skip };
}

/** What a header names: a column; null for one that is not read; undefined for none. */
export type NameOf<C extends Columns> = (header: string) => (keyof C & string) | null | undefined;

/**
 * The column of each cell: null is one that is not read, and empty one without a name.
 *
 * Errors: MalformedRequest, when a name is unknown or comes twice, or one that must be there is missing.
 */
export function columnsOf<C extends Columns>(
  header: readonly string[],
  columns: C,
  required: readonly (keyof C & string)[],
  nameOf: NameOf<C>,
): ((keyof C & string) | '' | null)[] {
  const names = header.map((name) => (name === '' ? '' : nameOf(name)));
  const isWrong = (name: string | null | undefined, index: number) =>
    name === undefined || (name !== null && name !== '' && names.indexOf(name) !== index);
  const wrong = names.findIndex(isWrong);
  if (wrong >= 0 || names.every((name) => name === '')) {
    const known = Object.keys(columns).join(', ');
    const sent = JSON.stringify(header[wrong] ?? '');
    throw malformed(`the header must name columns out of ${known}, each once; not ${sent}`);
  }
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) throw malformed(`the header lacks ${missing.join(', ')}`);
  return names.filter((name) => name !== undefined);
}

export function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: '', detail }] });
}
