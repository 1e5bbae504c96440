import { all, inChunks } from '../test/chunks.ts';
import { readJsonLines } from './json-rows.ts';
import { readLines } from './lines.ts';

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
    const rows = await all(readJsonLines(inChunks(file)));
    expect(rows.map(({ row, value, refusal }) => [row, refusal?.message ?? value])).toEqual([
      [1, { a: 1 }],
      [2, expect.stringContaining('not valid JSON')],
      [3, expect.stringContaining('well-formed')],
      [4, expect.stringContaining('UTF-8')],
      [5, [2]],
    ]);
  });
});
