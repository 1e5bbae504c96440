/**
 * How the cells of a column are read: text as it stands; an id in any writing of a UUID; a day; a moment; an amount; a
 * truth value; or one of the listed words in any case.
 */
export type Kind = 'text' | 'id' | 'day' | 'moment' | 'amount' | 'flag' | readonly string[];

/** The columns a file may have, by the name in its header. */
export type Columns = Readonly<Record<string, Kind>>;

type ValueOf<K extends Kind> = K extends 'flag' ? boolean : K extends readonly (infer Word)[] ? Word : string;

/** The filled cells of a row. Days are `YYYY-MM-DD` and amounts plain decimal text, however the file writes them. */
export type CellsOf<C extends Columns> = { readonly [Name in keyof C]?: ValueOf<C[Name]> };

/** Where the person finds it: the row as a spreadsheet counts it, and the column by its name in the header. */
export interface CellError {
  readonly row: number;
  readonly column: string | null;
  readonly detail: string;
}

export interface FileRow<C extends Columns = Columns> {
  readonly row: number;
  readonly cells: CellsOf<C>;
  readonly errors: readonly CellError[];
  /** The text of a row that could not be taken apart into cells. */
  readonly unreadable?: string;
}
