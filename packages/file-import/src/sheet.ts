import { buffer } from 'node:stream/consumers';
import { openCsv } from './csv.ts';
import type { Encoding } from './encoding.ts';
import type { Sheet } from './placed-cells.ts';
import type { SpooledFile } from './spool.ts';
import type { Cell } from './xlsx/cells.ts';
import { openWorkbook } from './xlsx/workbook.ts';

/** How zip archives begin, and workbooks are such. */
const archiveMark = 'PK\u0003\u0004';

/** Errors: MalformedRequest. */
export async function openSheet(file: SpooledFile, encoding: Encoding): Promise<Sheet> {
  const start = await buffer(file.bytes(0, archiveMark.length));
  if (start.toString('latin1') !== archiveMark) return openCsv(file, encoding);
  const workbook = await openWorkbook(file);
  return {
    notation: 'local',
    encoding: `sheet ${JSON.stringify(workbook.sheet)} of a workbook`,
    separator: null,
    async *rows() {
      for await (const { row, cells } of workbook.rows()) {
        const trimmed = cells.map((cell) => (typeof cell === 'string' ? cell.trim() : cell));
        if (trimmed.some((cell) => cell !== '')) yield { row, cells: trimmed };
      }
    },
  };
}

/** What stands in a cell, in words. */
export function textOfCell(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return 'plain' in cell ? cell.plain : '';
}
