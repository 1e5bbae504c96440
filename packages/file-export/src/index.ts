export { type CsvDialect, csvOf } from './csv.ts';
export type { CellKind, CellValue, ExportColumn, ExportRow } from './sheet.ts';
export { type Workbook, workbookOf } from './workbook.ts';
