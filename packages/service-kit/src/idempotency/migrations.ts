import { fileMigrations } from '@marimo/files';
import { jobMigrations } from '@marimo/jobs';
import { outboxMigrations } from '@marimo/messaging';
import { mirrorMigrations } from '@marimo/mirrors';
import { numberingMigrations } from '@marimo/numbering';
import { recordMigrations } from '@marimo/records';
import { sagaMigrations } from '@marimo/sagas';

/** What every service's schema has before its own tables, in this order. */
export const kitMigrations: readonly URL[] = [
  new URL('../../migrations/', import.meta.url),
  outboxMigrations,
  jobMigrations,
  sagaMigrations,
  fileMigrations,
  recordMigrations,
  numberingMigrations,
  mirrorMigrations,
];
