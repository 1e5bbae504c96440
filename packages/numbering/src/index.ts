export { numberingMigrations } from './migrations.ts';
export { changeNumberSeries, findNumberSeries } from './settings.ts';
export { listNumberSeriesChanges } from './store.ts';
export { takeNumber } from './take.ts';
