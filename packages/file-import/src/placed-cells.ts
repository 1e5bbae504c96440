import type { Notation } from './cells.ts';
import type { Cell } from './xlsx/cells.ts';

export interface PlacedCells {
  readonly row: number;
  readonly cells: readonly Cell[];
  readonly unreadable?: string;
}

/** The rows of a file in which something is filled. */
export interface Sheet {
  /** How text in it writes days and amounts. */
  readonly notation: Notation;
  readonly encoding: string;
  /** Null in a workbook. */
  readonly separator: string | null;
  rows(): AsyncGenerator<PlacedCells, void, undefined>;
}
