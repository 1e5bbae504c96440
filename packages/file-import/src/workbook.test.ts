import { MalformedRequest } from '@marimo/contracts';
import { all, inChunks } from '../test/chunks.ts';
import { archiveOf, workbookOf } from '../test/workbook.ts';
import type { Columns } from './columns.ts';
import { openTable } from './table.ts';

const columns = {
  code: 'text',
  day: 'day',
  amount: 'amount',
  at: 'moment',
  isGroup: 'flag',
} as const satisfies Columns;

async function told(file: Buffer) {
  const table = await openTable(inChunks(file), columns, ['code']);
  try {
    const rows = await all(table.rows());
    return rows.map(({ row, cells, errors }) => [
      row,
      errors.length > 0 ? errors.map(({ column, detail }) => `${column}: ${detail}`).join('; ') : cells,
    ]);
  } finally {
    await table.close();
  }
}

const styles = `<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy&quot; г.&quot;"/></numFmts>
  <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
  <cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>`;

describe('a workbook', () => {
  it('as Excel writes it: shared strings of many runs, numbers with noise, days in built-in and own formats', async () => {
    const file = workbookOf({
      styles,
      strings: `<sst><si><t>code</t></si><si><t>day</t></si><si><t>amount</t></si><si><t>at</t></si><si><t>isGroup</t></si>
        <si><r><rPr><b/></rPr><t xml:space="preserve">Дрель </t></r><r><t>&amp; пила</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si></sst>`,
      sheet: `<worksheet><dimension ref="A1:E4"/><cols><col min="1" max="5"/></cols><sheetData>
        <row r="1" spans="1:5"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c><c r="E1" t="s"><v>4</v></c></row>
        <row r="2"><c r="A2" t="s"><v>5</v></c><c r="B2" s="1"><v>46112</v></c><c r="C2"><v>0.30000000000000004</v></c><c r="D2" s="3"><v>46112.5</v></c><c r="E2" t="b"><v>1</v></c></row>
        <row r="5"><c r="A5"><v>41</v></c><c r="B5" s="2"><v>46112</v></c><c r="C5"><v>1.2345E3</v></c></row>
        <row r="6"><c r="A6" s="1"/><c r="C6"/></row></sheetData></worksheet>`,
    });
    expect(await told(file)).toEqual([
      [
        2,
        {
          code: 'Дрель & пила',
          day: '2026-03-31',
          amount: '0.3',
          at: '2026-03-31T12:00:00.000',
          isGroup: true,
        },
      ],
      [5, { code: '41', day: '2026-03-31', amount: '1234.5' }],
    ]);
  });

  it('as 1C and programs write it: a prefix before each name, inline text, no places, text for amounts and days', async () => {
    const cell = (text: string) => `<x:c t='inlineStr'><x:is><x:t>${text}</x:t></x:is></x:c>`;
    const file = workbookOf({
      sheet: `<x:worksheet xmlns:x="main"><x:sheetData><x:row>${['code', 'day', 'amount', 'at'].map(cell).join('')}</x:row>
        <x:row>${['00-001', '31.03.2026', '1 234,56', '31.03.2026 9:30:00'].map(cell).join('')}</x:row></x:sheetData></x:worksheet>`,
    });
    expect(await told(file)).toEqual([
      [2, { code: '00-001', day: '2026-03-31', amount: '1234.56', at: '2026-03-31T09:30:00' }],
    ]);
  });

  it('gives of a formula what it came to, and refuses cells that came to nothing', async () => {
    const file = workbookOf({
      sheet: `<worksheet><sheetData>
        <row r="1"><c r="A1" t="str"><v>code</v></c><c r="B1" t="str"><v>amount</v></c></row>
        <row r="2"><c r="A2" t="str"><f>"A"&amp;1</f><v>A1</v></c><c r="B2"><f>1+1.5</f><v>2.5</v></c></row>
        <row r="3"><c r="A3" t="str"><v>B</v></c><c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>
        <row r="4"><c r="A4" t="str"><v>C</v></c><c r="B4"><f>SUM(B2:B3)</f></c></row></sheetData></worksheet>`,
    });
    expect(await told(file)).toEqual([
      [2, { code: 'A1', amount: '2.5' }],
      [3, 'amount: it shows the error #DIV/0!'],
      [4, expect.stringContaining('amount: its formula has not been worked out yet')],
    ]);
  });

  it('of a Macintosh counts its days from 1904', async () => {
    const file = workbookOf({
      styles,
      book: '<workbookPr date1904="1"/>',
      sheet: `<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>code</v></c><c r="B1" t="str"><v>day</v></c></row>
        <row r="2"><c r="A2" t="str"><v>A</v></c><c r="B2" s="1"><v>44650</v></c></row></sheetData></worksheet>`,
    });
    expect(await told(file)).toEqual([[2, { code: 'A', day: '2026-03-31' }]]);
  });

  it.each([
    [
      'an archive of something else',
      archiveOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet' }),
    ],
    ['cut off', workbookOf({ sheet: '<worksheet/>' }).subarray(0, 300)],
    [
      'damaged',
      Buffer.from(workbookOf({ sheet: '<worksheet/>' }).map((byte, at) => (at > 30 && at < 400 ? 7 : byte))),
    ],
    ['an older workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])],
    ['without a header', workbookOf({ sheet: '<worksheet><sheetData/></worksheet>' })],
  ])('that is %s is refused', async (_, file) => {
    await expect(told(file)).rejects.toThrow(MalformedRequest);
  });

  it('that would unpack to more than a machine has is refused before it does', async () => {
    const bomb = `<sst>${' '.repeat(300 * 1024 * 1024)}</sst>`;
    const file = workbookOf({ sheet: '<worksheet/>', strings: bomb });
    expect(file.length).toBeLessThan(1_000_000);
    await expect(told(file)).rejects.toThrow(MalformedRequest);
  });
});
