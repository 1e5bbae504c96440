import { decoded, type Encoding } from './encoding.ts';
import { layoutOf } from './header.ts';
import type { PlacedCells, Sheet } from './placed-cells.ts';
import { readRecords } from './records.ts';
import type { SpooledFile } from './spool.ts';

/** The rows of CSV, laid out as its first lines say. Errors: MalformedRequest, when it is an older workbook. */
export async function openCsv(file: SpooledFile, encoding: Encoding): Promise<Sheet> {
  const { separator, skip } = layoutOf(await startOf(file, encoding));
  return {
    notation: separator === ',' ? 'plain' : 'local',
    encoding,
    separator,
    async *rows(): AsyncGenerator<PlacedCells, void, undefined> {
      let row = 0;
      for await (const record of readRecords(behind(skip, decoded(file.bytes(), encoding)), separator)) {
        row += 1;
        if ('unreadable' in record) yield { row, cells: [], unreadable: record.unreadable };
        else {
          const cells = record.cells.map((cell) => cell.trim());
          if (cells.some((cell) => cell !== '')) yield { row, cells };
        }
      }
    },
  };
}

async function startOf(file: SpooledFile, encoding: Encoding): Promise<string> {
  let start = '';
  for await (const text of decoded(file.bytes(), encoding)) {
    start += text;
    if (/\S[^\r\n]*[\r\n]+[^\r\n]*\S[^\r\n]*[\r\n]/.test(start) || start.length > 1_000_000) break;
  }
  return start;
}

async function* behind(skip: number, text: AsyncIterable<string>): AsyncGenerator<string> {
  let left = skip;
  for await (const piece of text) {
    yield piece.slice(left);
    left = Math.max(0, left - piece.length);
  }
}
