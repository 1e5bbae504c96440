import type { AnyRecord, ImportMapping } from '@marimo/contracts/records';
import type { CellError } from '@marimo/file-import';
import type { Refusal } from '@marimo/problems';
import type { CustomColumn } from '../custom-fields.ts';
import type { RecordValues } from '../rows.ts';
import type { ZoneClock } from './zone-time.ts';

/** A record as the file gives it: on the wire, unchecked, with whatever the file leaves out left out. */
export interface GivenRecord {
  /** The first of its rows, as a spreadsheet counts it. */
  readonly line: number;
  readonly given: RecordValues;
  /** Why it cannot be read. */
  readonly refusal: Refusal | undefined;
  /** Where a field of it stands; undefined in files without columns. */
  readonly placeOf: ((path: readonly string[]) => Pick<CellError, 'row' | 'column'>) | undefined;
}

/** What must be known to read a file of records. */
export interface FileReading {
  readonly record: AnyRecord;
  readonly hidden: readonly string[];
  readonly mapping: ImportMapping['columns'] | undefined;
  readonly clock: ZoneClock;
  readonly custom: readonly CustomColumn[];
}
