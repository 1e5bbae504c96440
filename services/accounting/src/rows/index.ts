export { type Row, readCsvRows, readJsonList, readJsonRows } from './rows.ts';
export { type RefusedRow, startTally, type Tally } from './tally.ts';
