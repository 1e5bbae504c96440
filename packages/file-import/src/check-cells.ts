import { checkRow, FileRowRefused, MalformedRequest } from '@marimo/contracts';
import type { z } from 'zod';
import type { CellError } from './columns.ts';

/** Where in the file a field of the record stands. */
export type PlaceOf = (path: readonly string[]) => Pick<CellError, 'row' | 'column'>;

/**
 * Holds a record made of cells against its schema.
 *
 * Errors: FileRowRefused, naming row and column instead of the record's fields.
 */
export function checkCells<S extends z.ZodType>(schema: S, value: unknown, placeOf: PlaceOf): z.output<S> {
  try {
    return checkRow(schema, value);
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error;
    throw refusedCells(
      error.facts.errors.map(({ pointer, detail }) => ({ ...placeOf(pointer.split('/').slice(1)), detail })),
    );
  }
}

export function refusedCells(errors: readonly CellError[]): FileRowRefused {
  return new FileRowRefused({ cells: errors.slice(0, 50) });
}
