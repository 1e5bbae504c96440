import { type CellError, type Columns, type FileRow, refusedCells, type Table } from '@marimo/file-import';
import type { FileColumn } from './file-columns.ts';
import type { FileReading, GivenRecord } from './given-record.ts';
import { readValue, unmarked } from './read-cells.ts';

type Cells = Readonly<Record<string, string | boolean | undefined>>;

interface Draft {
  readonly head: Cells;
  readonly rows: number[];
  readonly given: Record<string, unknown>;
  /** For each lines field the rows of its lines. */
  readonly lineRows: Map<string, number[]>;
  readonly errors: CellError[];
}

/** Makes records of rows; with lines, a record goes on in the next row where its own cells are the same or blank. */
export class RecordRows {
  readonly #table: Table<Columns>;
  readonly #own: readonly FileColumn[];
  readonly #ofLines: ReadonlyMap<string, readonly FileColumn[]>;
  readonly #identity: readonly string[];
  readonly #reading: FileReading;
  readonly #isCsv: boolean;

  constructor(table: Table<Columns>, columns: readonly FileColumn[], reading: FileReading) {
    this.#table = table;
    this.#reading = reading;
    this.#isCsv = table.understood().separator !== null;
    this.#own = columns.filter(({ lines }) => lines === undefined);
    const ofLines = columns.filter(({ lines }) => lines !== undefined);
    this.#ofLines = Map.groupBy(ofLines, ({ lines }) => lines as string);
    const { idField, key } = reading.record;
    const byKey = this.#own.filter(({ field }) => key.includes(field)).map(({ name }) => name);
    this.#identity = byKey.length > 0 ? byKey : [idField];
  }

  async *records(): AsyncGenerator<GivenRecord, void, undefined> {
    let open: Draft | undefined;
    for await (const row of this.#table.rows() as AsyncGenerator<FileRow>) {
      const cells = row.cells as Cells;
      if (open !== undefined && this.#goesOn(open, cells, row.unreadable)) {
        this.#takeAgain(open, row.row, cells, row.errors);
        continue;
      }
      if (open !== undefined) yield this.#finish(open);
      open = this.#begin(row.row, cells, row.errors);
    }
    if (open !== undefined) yield this.#finish(open);
  }

  #goesOn({ head }: Draft, cells: Cells, unreadable: string | undefined): boolean {
    if (this.#ofLines.size === 0 || unreadable !== undefined) return false;
    const filled = this.#identity.filter((name) => cells[name] !== undefined);
    if (filled.length > 0) return this.#identity.every((name) => cells[name] === head[name]);
    return this.#own.every(({ name }) => cells[name] === undefined);
  }

  #begin(row: number, cells: Cells, errors: readonly CellError[]): Draft {
    const draft: Draft = { head: cells, rows: [], given: {}, lineRows: new Map(), errors: [] };
    for (const column of this.#own) this.#put(draft.given, column, cells, row, draft.errors);
    for (const lines of this.#ofLines.keys()) {
      draft.given[lines] = [];
      draft.lineRows.set(lines, []);
    }
    this.#takeLines(draft, row, cells, errors);
    return draft;
  }

  #takeAgain(draft: Draft, row: number, cells: Cells, errors: readonly CellError[]): void {
    for (const { name } of this.#own) {
      if (cells[name] === undefined || cells[name] === draft.head[name]) continue;
      const detail = `it differs from row ${draft.rows[0]}, where the record begins`;
      draft.errors.push({ row, column: this.#headerOf(name), detail });
    }
    this.#takeLines(draft, row, cells, errors);
  }

  #takeLines(draft: Draft, row: number, cells: Cells, errors: readonly CellError[]): void {
    draft.errors.push(...errors);
    draft.rows.push(row);
    for (const [lines, columns] of this.#ofLines) {
      if (columns.every(({ name }) => cells[name] === undefined)) continue;
      const line = {};
      for (const column of columns) this.#put(line, column, cells, row, draft.errors);
      (draft.given[lines] as unknown[]).push(line);
      draft.lineRows.get(lines)?.push(row);
    }
  }

  /** A blank cell empties its field, or leaves it as it is where it cannot be empty. */
  #put(
    to: Record<string, unknown>,
    column: FileColumn,
    cells: Cells,
    row: number,
    errors: CellError[],
  ): void {
    const { name, field, part, declared } = column;
    const cell = cells[name];
    if (cell === undefined) {
      const mayBeEmpty = declared.presence === 'optional' && part === undefined;
      if (field === 'custom') to[field] = { ...(to[field] as object | null), [part ?? '']: null };
      else if (mayBeEmpty) to[field] = null;
      else if (declared.kind === 'tags') to[field] = [];
      else if (declared.presence === 'optional' && !(field in to)) to[field] = null;
      return;
    }
    const read = readValue(column, this.#isCsv ? unmarked(cell) : cell, this.#reading.clock);
    if ('detail' in read) errors.push({ row, column: this.#headerOf(name), detail: read.detail });
    else if (part === undefined) to[field] = read.value;
    else to[field] = { ...(to[field] as object | null), [part]: read.value };
  }

  #finish({ given, rows, lineRows, errors }: Draft): GivenRecord {
    const [line = 0] = rows;
    return {
      line,
      given,
      refusal: errors.length === 0 ? undefined : refusedCells(errors),
      placeOf: ([field = '', place, ...rest]) => {
        const atLine = lineRows.get(field);
        if (atLine === undefined) return { row: line, column: this.#columnOf(field, place) };
        const row = atLine[Number(place)] ?? line;
        return { row, column: this.#columnOf(`${field}.${rest[0] ?? ''}`, rest[1]) };
      },
    };
  }

  /** The header of a field, or of the part of it that is wrong. */
  #columnOf(field: string, part: string | undefined): string | null {
    if (field === '') return null;
    return this.#headerOf(part === undefined ? field : `${field}.${part}`, field);
  }

  #headerOf(name: string, instead = name): string {
    const { headers } = this.#table;
    const firstPart = () => [...headers].find(([each]) => each.startsWith(`${instead}.`))?.[1];
    return headers.get(name) ?? headers.get(instead) ?? firstPart() ?? instead;
  }
}
