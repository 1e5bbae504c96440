export type { ChangeOptions } from './change.ts';
export { type StoredField, snake, storedFields } from './columns.ts';
export type { Created, CreateOptions } from './create.ts';
export { listCustomColumns } from './custom-fields.ts';
export { type ExportAbout, exportOf, templateOf } from './files/export-files.ts';
export { fileColumns, type Language } from './files/file-columns.ts';
export type { ImportPlan } from './files/import-piece.ts';
export { importRecords } from './files/import-records.ts';
export {
  deleteMapping,
  deleteOldImports,
  getImportSoFar,
  getMapping,
  listMappings,
  upsertImportSoFar,
  upsertMapping,
} from './files/import-store.ts';
export { openRecordFile } from './files/read-records.ts';
export { type ReferredRecord, referredBy } from './files/referred.ts';
export { ZoneClock } from './files/zone-time.ts';
export type { Restriction } from './filters.ts';
export { type Author, isSameContent, listChanges } from './history.ts';
export { columnValues, lineTables } from './lines.ts';
export { listRecords, listRecordsByKey } from './list.ts';
export { listForMirror, type MirrorQuery } from './list-for-mirror.ts';
export { recordMigrations } from './migrations.ts';
export { type RecordParts, type Records, recordsOf } from './records.ts';
export type { LookUp, LookUps } from './references.ts';
export type { RecordValues } from './rows.ts';
export { sortOf } from './sorts.ts';
export { summariseRecords } from './summary.ts';
