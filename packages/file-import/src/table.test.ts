import { MalformedRequest } from '@marimo/contracts';
import { all, inChunks } from '../test/chunks.ts';
import type { Columns } from './columns.ts';
import { openTable } from './table.ts';

const columns = {
  code: 'text',
  day: 'day',
  amount: 'amount',
  isGroup: 'flag',
  side: ['debit', 'credit'],
  id: 'id',
} as const satisfies Columns;

async function read(file: string | Buffer) {
  const table = await openTable(inChunks(file), columns, ['code']);
  try {
    const rows = await all(table.rows());
    const told = rows.map(({ row, cells, errors }) => [
      row,
      errors.length > 0 ? errors.map(({ column, detail }) => `${column}: ${detail}`).join('; ') : cells,
    ]);
    return { told, understood: table.understood() };
  } finally {
    await table.close();
  }
}
const told = async (file: string | Buffer) => (await read(file)).told;

describe('a CSV file', () => {
  it.each([[','], [';'], ['\t']])(
    'is read by the names in its header, separated by %j',
    async (separator) => {
      const file = ['code,amount', '41,1', '"60",', '5', '7,"open', '8,8']
        .join('\n')
        .replaceAll(',', separator);
      expect(await told(file)).toEqual([
        [2, { code: '41', amount: '1' }],
        [3, { code: '60' }],
        [4, 'null: it has 1 cells where the header has 2'],
        [5, expect.stringContaining('quote')],
        [6, { code: '8', amount: '8' }],
      ]);
    },
  );

  it.each([
    ['code,price\n1,2'],
    ['code,code\n1,2'],
    ['"code\n1'],
    ['\n\n'],
    [''],
    ['amount\n1'],
    ['PK\u0003\u0004 an archive'],
  ])('whose header is not the one declared is refused whole: %j', async (file) => {
    await expect(read(file)).rejects.toThrow(MalformedRequest);
  });

  it('takes no row and no column for one in which nothing is filled, and counts it', async () => {
    expect(await told('code,amount,,\r\n,,,\r\n41,1,,\r\n \u00a0,,,\r\n,,,,,,\r\n42,2,,note\r\n')).toEqual([
      [3, { code: '41', amount: '1' }],
      [6, 'null: the cell "note" stands under no name in the header'],
    ]);
  });

  it.each(['sep=;\r\n', '"sep=;"\n', '\ufeffsep=;\r\n', 'SEP=;\r'])(
    'beginning with %j is separated as that line says; a spreadsheet shows no such row',
    async (line) => {
      expect(await told(`${line}code;amount\n41;1,50`)).toEqual([[2, { code: '41', amount: '1.50' }]]);
    },
  );

  it('may say that commas separate it', async () => {
    expect(await told('sep=,\ncode,amount\n41,1.50')).toEqual([[2, { code: '41', amount: '1.50' }]]);
  });

  it('gives words of a list and truth values in any case, ids in one spelling, and trims every cell', async () => {
    const id = '0198f000-0000-7000-8000-000000000a01';
    const file = [
      'code,isGroup,side,id',
      `41, TRUE ,Debit,{${id.toUpperCase()}}`,
      `\u00a042\u00a0,False,CREDIT, ${id.replaceAll('-', '')}`,
      `43,ИСТИНА,, `,
      '44,yes,both,x',
    ];
    expect(await told(file.join('\n'))).toEqual([
      [2, { code: '41', isGroup: true, side: 'debit', id }],
      [3, { code: '42', isGroup: false, side: 'credit', id }],
      [4, { code: '43', isGroup: true }],
      [5, 'isGroup: "yes" is neither true nor false; side: "both" is not one of debit, credit'],
    ]);
  });

  it('separated by semicolons is read as spreadsheets of that country write it', async () => {
    const file =
      'code;day;amount\n41;31.03.2026;1 234,56\n42;1.4.2026;5,00\n43;2026-04-02;7\n44;31.03.26;1\n45;03/04/2026;1';
    expect(await told(file)).toEqual([
      [2, { code: '41', day: '2026-03-31', amount: '1234.56' }],
      [3, { code: '42', day: '2026-04-01', amount: '5.00' }],
      [4, { code: '43', day: '2026-04-02', amount: '7' }],
      [5, 'day: "31.03.26" is not a day written 31.03.2026 or 2026-03-31'],
      [6, 'day: "03/04/2026" is not a day written 31.03.2026 or 2026-03-31'],
    ]);
  });

  it('separated by commas is read as the API writes it', async () => {
    expect(await told('code,day,amount\n41,31.03.2026,"1,234"')).toEqual([
      [2, { code: '41', day: '31.03.2026', amount: '1,234' }],
    ]);
  });

  it('shows how each column was understood', async () => {
    const { understood } = await read('code;amount;day\n41;1 234,56;31.03.2026\n');
    expect(understood).toEqual({
      encoding: 'utf-8',
      separator: ';',
      columns: [
        { column: 'code', field: 'code', readAs: 'text', example: { written: '41', read: '41' } },
        {
          column: 'amount',
          field: 'amount',
          readAs: 'amount, decimal comma',
          example: { written: '1 234,56', read: '1234.56' },
        },
        {
          column: 'day',
          field: 'day',
          readAs: 'day, dd.mm.yyyy or YYYY-MM-DD',
          example: { written: '31.03.2026', read: '2026-03-31' },
        },
      ],
    });
  });
});

describe('the encoding of a file', () => {
  const text = 'code;side\nКасса и расчёты;debit\n«Ёлка» № 5;credit\n';
  const cells = [
    [2, { code: 'Касса и расчёты', side: 'debit' }],
    [3, { code: '«Ёлка» № 5', side: 'credit' }],
  ];
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
  const windows1251 = Buffer.from(
    Array.from(text, (char) => {
      const codes: Record<string, number> = { Ё: 0xa8, ё: 0xb8, '«': 0xab, '»': 0xbb, '№': 0xb9 };
      const code = char.charCodeAt(0);
      return codes[char] ?? (code >= 0x410 && code <= 0x44f ? code - 0x350 : code);
    }),
  );

  it.each<[string, Buffer]>([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16', utf16],
    ['UTF-16 without a byte order mark', utf16.subarray(2)],
    ['UTF-16, high bytes first', Buffer.from(utf16).swap16()],
    ['Windows-1251', windows1251],
    ['UTF-8 with lines that end in CR', Buffer.from(text.replaceAll('\n', '\r'))],
  ])('may be %s', async (_, file) => {
    expect(await told(file)).toEqual(cells);
  });

  it('that cannot be told is refused row by row', async () => {
    const file = Buffer.from('code;side\nM\u00fcller;debit\n41;debit\n', 'latin1');
    expect(await told(file)).toEqual([
      [2, 'code: it is not valid UTF-8; save the file as "CSV UTF-8"'],
      [3, { code: '41', side: 'debit' }],
    ]);
  });
});
