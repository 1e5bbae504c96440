import { CsvError, parse } from 'csv-parse/sync';

/** The cells of one row, or its text where the quotes of the row do not match. */
export type CsvRecord = { readonly cells: string[] } | { readonly unreadable: string };

/** More than the longest row takes. */
const longestRowBytes = 1024 * 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * The rows of CSV (RFC 4180) as the text arrives; line breaks are LF, CR LF or CR, and a quoted cell may hold them.
 * A row whose quotes do not match is one line, and the next line begins a row again: a forgotten quote spoils one row
 * instead of the rest of the file.
 */
export async function* readRecords(
  text: AsyncIterable<string>,
  separator: string,
): AsyncGenerator<CsvRecord, void, undefined> {
  let waiting: Buffer[] = [];
  let length = 0;
  let enough = 0;
  for await (const piece of text) {
    waiting.push(Buffer.from(piece));
    length += waiting.at(-1)?.length ?? 0;
    if (length < enough) continue;
    const bytes = Buffer.concat(waiting);
    const { records, taken } = takeRecords(bytes.subarray(0, endOfLastLine(bytes)), separator, false);
    yield* records;
    waiting = [bytes.subarray(taken)];
    length = bytes.length - taken;
    // A long cell is looked at again only when much has come, or it would be read over and over.
    enough = taken === 0 ? length * 2 : 0;
  }
  yield* takeRecords(Buffer.concat(waiting), separator, true).records;
}

/** Behind the last line break that is whole: a CR at the end may be half of one. */
function endOfLastLine(bytes: Buffer): number {
  const atNewline = bytes.lastIndexOf(newline);
  return (atNewline >= 0 ? atNewline : bytes.subarray(0, -1).lastIndexOf(carriageReturn)) + 1;
}

function takeRecords(bytes: Buffer, separator: string, isEnd: boolean) {
  const records: CsvRecord[] = [];
  let taken = 0;
  while (taken < bytes.length) {
    const rest = bytes.subarray(taken);
    let whole = 0;
    const wrong = parseUpToError(rest, separator, (cells, end) => {
      records.push({ cells });
      whole = end;
    });
    taken += wrong === undefined ? rest.length : whole;
    if (wrong === undefined) break;
    const isOpen = wrong.code === 'CSV_QUOTE_NOT_CLOSED';
    if (isOpen && !isEnd && bytes.length - taken < longestRowBytes) break;
    const line = firstLine(bytes.subarray(taken));
    records.push({ unreadable: line.toString() });
    taken += line.length;
  }
  return { records, taken };
}

function parseUpToError(
  bytes: Buffer,
  delimiter: string,
  take: (cells: string[], end: number) => void,
): CsvError | undefined {
  try {
    parse(bytes, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      trim: true, // a blank between a quote and the separator
      max_record_size: longestRowBytes,
      on_record: (cells: string[], { bytes: end }) => {
        take(cells, end);
        return null;
      },
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error;
  }
}

/** With its line break. */
function firstLine(bytes: Buffer): Buffer {
  const end = bytes.findIndex((byte) => byte === newline || byte === carriageReturn);
  if (end < 0) return bytes;
  const isPair = bytes[end] === carriageReturn && bytes[end + 1] === newline;
  return bytes.subarray(0, end + (isPair ? 2 : 1));
}
