import { Readable } from 'node:stream';
import { MalformedRequest } from '@marimo/contracts';
import fc from 'fast-check';
import { cellsOf } from './cells.ts';
import { readLines } from './lines.ts';
import { type Row, readCsvRows, readJsonRows } from './rows.ts';

const inChunks = (text: string | Buffer, size = 7): AsyncIterable<Buffer> => {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
  return Readable.from(chunks);
};

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const told = (rows: Row[]) => rows.map(({ line, value, refusal }) => [line, refusal?.message ?? value]);

describe('the lines of a file', () => {
  it('are found wherever the chunks are cut, blank ones counted but left out', async () => {
    for (let size = 1; size < 12; size += 1) {
      const lines = await all(readLines(inChunks('one\r\n\n  \ntwo — три\n\nlast', size), 100));
      expect(lines.map(({ number, bytes }) => [number, bytes?.toString().trimEnd()])).toEqual([
        [1, 'one'],
        [4, 'two — три'],
        [6, 'last'],
      ]);
    }
  });

  it('are passed over when too long, and the next one is whole again', async () => {
    for (let size = 1; size < 12; size += 1) {
      const lines = await all(readLines(inChunks('abc\nabcdefgh\nxyz', size), 5));
      expect(lines.map(({ number, bytes }) => [number, bytes?.toString() ?? null])).toEqual([
        [1, 'abc'],
        [2, null],
        [3, 'xyz'],
      ]);
    }
  });
});

describe('rows of JSON', () => {
  it('are read each for itself: a broken one is named and the rest goes on', async () => {
    const file = Buffer.concat([
      Buffer.from('\ufeff{"a":1}\n{"a":\n"\\ud800"\n'),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from('[2]'),
    ]);
    expect(told(await all(readJsonRows(inChunks(file))))).toEqual([
      [1, { a: 1 }],
      [2, expect.stringContaining('not valid JSON')],
      [3, expect.stringContaining('well-formed')],
      [4, expect.stringContaining('UTF-8')],
      [5, [2]],
    ]);
  });
});

describe('the cells of a CSV row', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    [',,', ['', '', '']],
    ['"a, b","say ""no""",', ['a, b', 'say "no"', '']],
    ['a;b', ['a;b']],
    ['""', ['']],
  ])('%s', (row, cells) => {
    expect(cellsOf(row, ',')).toEqual(cells);
  });

  it.each([['"open'], ['a"b'], ['"a"b'], ['a,"b']])('%s cannot be read', (row) => {
    expect(cellsOf(row, ',')).toBeNull();
  });

  it('come back as they were written', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', ' ', 'я') });
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1 }),
        fc.constantFrom(',' as const, ';' as const),
        (cells, separator) => {
          const row = cells.map((each) => `"${each.replaceAll('"', '""')}"`).join(separator);
          expect(cellsOf(row, separator)).toEqual(cells);
        },
      ),
    );
  });
});

describe('rows of CSV', () => {
  const rows = (text: string) => all(readCsvRows(inChunks(text), ['code', 'name']));

  it.each([[','], [';']])('are read by the names in the header, separated by %s', async (separator) => {
    const file = ['code,name', '41,Goods', '"60",', '5', '7,"open', '8,Eight']
      .join('\n')
      .replaceAll(',', separator);
    expect(told(await rows(file))).toEqual([
      [2, { code: '41', name: 'Goods' }],
      [3, { code: '60' }],
      [4, expect.stringContaining('1 cells')],
      [5, expect.stringContaining('quote')],
      [6, { code: '8', name: 'Eight' }],
    ]);
  });

  it.each([['code,price\n1,2'], ['code,code\n1,2'], ['"code\n1'], ['\n\n']])(
    'of a file with an unknown header are not read at all: %j',
    async (file) => {
      await expect(rows(file)).rejects.toThrow(MalformedRequest);
    },
  );
});
