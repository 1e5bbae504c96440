import { buffer } from 'node:stream/consumers';
import { parseJson } from '@marimo/contracts';
import { Refusal } from '@marimo/problems';
import { malformed } from './header.ts';
import { readLines } from './lines.ts';

/** One row of JSON: what it holds, unchecked, or why it cannot be read. */
export interface JsonRow {
  /** The line of NDJSON, or the place in a JSON list, counted from 1. */
  readonly row: number;
  readonly value: unknown;
  readonly refusal: Refusal | undefined;
}

/** More than the longest record takes. */
const longestRowBytes = 8 * 1024 * 1024;

/** One JSON value a line. */
export async function* readJsonLines(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<JsonRow, void, undefined> {
  for await (const { number, bytes } of readLines(stream, longestRowBytes)) {
    try {
      if (bytes === null) throw malformed(`the line is longer than ${longestRowBytes} bytes`);
      yield { row: number, value: parseJson(textOf(bytes)), refusal: undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      yield { row: number, value: undefined, refusal: error };
    }
  }
}

export async function* readJsonList(stream: AsyncIterable<Buffer>): AsyncGenerator<JsonRow, void, undefined> {
  const list = parseJson(textOf(await buffer(stream)));
  if (!Array.isArray(list)) throw malformed('it must be a JSON list');
  for (const [index, value] of list.entries()) yield { row: index + 1, value, refusal: undefined };
}

const utf8 = new TextDecoder('utf-8', { fatal: true }); // leaves out a byte order mark

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes).trimEnd();
  } catch {
    throw malformed('it is not valid UTF-8');
  }
}
