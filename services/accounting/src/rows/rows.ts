import { buffer } from 'node:stream/consumers';
import { MalformedRequest } from '@marimo/contracts';
import { Refusal } from '@marimo/problems';
import { parseJson } from '@marimo/service-kit';
import { cellsOf } from './cells.ts';
import { type Line, readLines } from './lines.ts';

/** One row of a file: what it holds, unchecked, and why it cannot be used if that is plain already. */
export interface Row {
  readonly line: number;
  readonly value: unknown;
  readonly refusal: Refusal | undefined;
}

/** More than the longest journal entry takes. */
const longestRowBytes = 8 * 1024 * 1024;

/** One JSON value a line. */
export async function* readJsonRows(stream: AsyncIterable<Buffer>): AsyncGenerator<Row, void, undefined> {
  for await (const line of readLines(stream, longestRowBytes)) {
    yield rowOf(line, parseJson);
  }
}

/** A JSON list; the "line" of an item is its place in it, counted from 1. */
export async function* readJsonList(stream: AsyncIterable<Buffer>): AsyncGenerator<Row, void, undefined> {
  const list = parseJson(textOf(await buffer(stream)));
  if (!Array.isArray(list)) throw malformed('it must be a JSON list');
  for (const [index, value] of list.entries()) yield { line: index + 1, value, refusal: undefined };
}

/**
 * CSV with a header row; the separator is the header's. Each row is an object of its cells, empty ones left out.
 *
 * Errors: MalformedRequest, when the header names a column that is not among `columns`, or none at all.
 */
export async function* readCsvRows(
  stream: AsyncIterable<Buffer>,
  columns: readonly string[],
): AsyncGenerator<Row, void, undefined> {
  let header: { names: string[]; separator: ',' | ';' } | undefined;
  for await (const line of readLines(stream, longestRowBytes)) {
    if (header === undefined) {
      const row = rowOf(line, (text) => headerOf(text, columns));
      if (row.refusal !== undefined) throw row.refusal;
      header = row.value as NonNullable<typeof header>;
    } else {
      const { names, separator } = header;
      yield rowOf(line, (text) => recordOf(cellsOf(text, separator), names));
    }
  }
  if (header === undefined) throw malformed('it has no header row');
}

function headerOf(text: string, columns: readonly string[]) {
  const separator = text.includes(';') ? ';' : ',';
  const names = (cellsOf(text, separator) ?? []).map((name) => name.trim());
  const wrong = names.find((name, index) => !columns.includes(name) || names.indexOf(name) !== index);
  if (wrong !== undefined || names.length === 0) {
    throw malformed(
      `the header must name columns out of ${columns.join(', ')}, each once; not "${wrong ?? ''}"`,
    );
  }
  return { names, separator } as const;
}

function recordOf(cells: readonly string[] | null, names: readonly string[]): Record<string, string> {
  if (cells === null)
    throw malformed('a quote is not closed on the same line, or stands inside a plain cell');
  if (cells.length !== names.length) {
    throw malformed(`it has ${cells.length} cells where the header has ${names.length}`);
  }
  const filled = names
    .map((name, index) => [name, cells[index] ?? ''] as const)
    .filter(([, cell]) => cell !== '');
  return Object.fromEntries(filled);
}

function rowOf({ number, bytes }: Line, read: (text: string) => unknown): Row {
  try {
    if (bytes === null) throw malformed(`the line is longer than ${longestRowBytes} bytes`);
    return { line: number, value: read(textOf(bytes)), refusal: undefined };
  } catch (error) {
    if (error instanceof Refusal) return { line: number, value: undefined, refusal: error };
    throw error;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true }); // leaves out a byte order mark

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes).trimEnd();
  } catch {
    throw malformed('it is not valid UTF-8');
  }
}

function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: '', detail }] });
}
