import { MalformedRequest } from '@marimo/contracts';
import type { Columns } from './columns.ts';

/** How the file is laid out, as its first lines say. */
export interface Layout {
  readonly separator: string;
  /** The characters of Excel's own first line, `sep=;`, which it shows to no person. */
  readonly skip: number;
}

const separatorLine = /^"?sep=(.)"?[;,\t]*(?:\r\n|\n|\r)/i;
/** How zip archives (xlsx, ods) and the older xls begin. */
const workbooks = ['PK\u0003\u0004', '\ufffd\ufffd\u0011\ufffd'];

/** Errors: MalformedRequest, when the file is a workbook instead of text. */
export function layoutOf(start: string): Layout {
  if (workbooks.some((mark) => start.startsWith(mark)))
    throw malformed('it is an Excel workbook; save it as "CSV UTF-8" and send that');
  const told = separatorLine.exec(start);
  const skip = told?.[0].length ?? 0;
  const line = /[^\r\n]*\S[^\r\n]*/.exec(start.slice(skip))?.[0] ?? '';
  const separator = told?.[1] ?? ['\t', ';'].find((sign) => line.includes(sign)) ?? ',';
  return { separator, skip };
}

/**
 * The column of each cell; null is a column without a name.
 *
 * Errors: MalformedRequest, when a name is unknown or comes twice, or one that must be there is missing.
 */
export function columnsOf<C extends Columns>(
  header: readonly string[],
  columns: C,
  required: readonly (keyof C & string)[],
): (keyof C & string)[] {
  const known = Object.keys(columns).join(', ');
  const named = header.filter((name) => name !== '');
  const wrong = named.find((name, index) => !(name in columns) || named.indexOf(name) !== index);
  if (wrong !== undefined || named.length === 0) {
    throw malformed(
      `the header must name columns out of ${known}, each once; not ${JSON.stringify(wrong ?? '')}`,
    );
  }
  const missing = required.filter((name) => !named.includes(name));
  if (missing.length > 0) throw malformed(`the header lacks ${missing.join(', ')}`);
  return [...header] as (keyof C & string)[];
}

export function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: '', detail }] });
}
