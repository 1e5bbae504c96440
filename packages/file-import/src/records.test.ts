import fc from 'fast-check';
import { all } from '../test/chunks.ts';
import { readRecords } from './records.ts';

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function cellsOf(text: string, separator = ',', size = 7): Promise<(string[] | string)[]> {
  const records = await all(readRecords(pieces(text, size), separator));
  return records.map((each) => ('cells' in each ? each.cells : `unreadable: ${each.unreadable}`));
}

describe('the rows of CSV', () => {
  it.each<[string, (string[] | string)[]]>([
    ['a,b,c', [['a', 'b', 'c']]],
    [',,', [['', '', '']]],
    ['"a, b","say ""no""",', [['a, b', 'say "no"', '']]],
    ['""', [['']]],
    [
      'a,b\n1, "x" \n',
      [
        ['a', 'b'],
        ['1', 'x'],
      ],
    ],
    ['a\r\nb\r\n\r\nc', [['a'], ['b'], [''], ['c']]],
    ['a\rb\r\rc\r', [['a'], ['b'], [''], ['c']]],
    [
      'a,"two\r\nlines"\nb,c',
      [
        ['a', 'two\r\nlines'],
        ['b', 'c'],
      ],
    ],
    ['"open', ['unreadable: "open']],
    ['a"b', ['unreadable: a"b']],
    ['"a"b', ['unreadable: "a"b']],
    ['', []],
    [
      'a,b\n1,"x\n2,y\n3,"z, w",q\n4,5\n',
      [['a', 'b'], 'unreadable: 1,"x\n', ['2', 'y'], ['3', 'z, w', 'q'], ['4', '5']],
    ],
    ['a,b\n1,"x\n2,y\n3,z\n', [['a', 'b'], 'unreadable: 1,"x\n', ['2', 'y'], ['3', 'z']]],
  ])('%j is read alike wherever the text is cut', async (text, expected) => {
    for (const size of [1, 2, 3, 7, 1_000]) expect(await cellsOf(text, ',', size)).toEqual(expected);
  });

  it('come back as they were written', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '\n', ' ', 'я') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 1 }), { minLength: 1 }),
        fc.constantFrom(',', ';', '\t'),
        fc.integer({ min: 1, max: 20 }),
        async (rows, separator, size) => {
          const text = rows
            .map((cells) => cells.map((each) => `"${each.replaceAll('"', '""')}"`).join(separator))
            .join('\r\n');
          expect(await cellsOf(text, separator, size)).toEqual(rows);
        },
      ),
    );
  });

  it('with an empty cell beside a tab stay apart', async () => {
    expect(await cellsOf('a\t\t b \n\t\tc', '\t')).toEqual([
      ['a', '', 'b'],
      ['', '', 'c'],
    ]);
  });
});
