export { canonicalId } from './cells.ts';
export { checkCells, type PlaceOf, refusedCells } from './check-cells.ts';
export type { CellError, CellsOf, Columns, FileRow, Kind } from './columns.ts';
export { malformed, type NameOf } from './header.ts';
export { type ImportReport, startReport } from './import-report.ts';
export { type JsonRow, readJsonLines, readJsonList } from './json-rows.ts';
export {
  type FileRecord,
  openRecords,
  type RecordFile,
  type RecordFormat,
  readJsonRecords,
} from './records-of-file.ts';
export { type SpooledFile, spool } from './spool.ts';
export { openTable, type Table } from './table.ts';
