const newline = 0x0a;

export interface Line {
  /** 1 is the first of the file. */
  readonly number: number;
  /** Null where the line is too long to be kept. */
  readonly bytes: Buffer | null;
}

/**
 * The lines of a file as they arrive, blank ones left out. Never holds more than one line and one chunk: what is
 * longer than `longestBytes` is passed over to its end.
 */
export async function* readLines(
  stream: AsyncIterable<Buffer>,
  longestBytes: number,
): AsyncGenerator<Line, void, undefined> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;

  const take = (part: Buffer) => {
    length += part.length;
    if (length <= longestBytes) parts.push(part);
    else parts = [];
  };
  const finish = (): Line => {
    const line = { number, bytes: length > longestBytes ? null : Buffer.concat(parts) };
    number += 1;
    parts = [];
    length = 0;
    return line;
  };

  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      const line = finish();
      if (!isBlank(line)) yield line;
    }
    take(chunk.subarray(from));
  }
  const last = finish();
  if (!isBlank(last)) yield last;
}

function isBlank({ bytes }: Line): boolean {
  return bytes !== null && /^\s*$/.test(bytes.toString('latin1'));
}
