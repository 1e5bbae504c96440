import { FileRowRefused, newId } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import { type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(async () => {
  pine = organisationIn(service);
  await pine.accounts('41', '60');
});

type Query = { mode?: 'each' | 'all-or-nothing'; dryRun?: 'true' | 'false' };

const importFile = (body: string, query: Query = {}, contentType = 'text/csv') =>
  pine.call(journalEntries.importFile, { query }, { raw: { contentType, body } });
const importCsv = (lines: readonly string[], query?: Query) => importFile(lines.join('\n'), query);

describe('an entry of CSV whose rows are apart', () => {
  const header = 'entryId,postingDate,description,accountCode,side,amount';
  const pair = (id: string, amount: string) => [
    `${id},2026-03-31,Goods,41,debit,${amount}`,
    `${id},2026-03-31,Goods,60,credit,${amount}`,
  ];
  const [coffee, tea] = [newId(), newId()];
  const file = [header, ...pair(coffee, '3.00'), ...pair(tea, '2.00'), ...pair(coffee, '3.00')];
  const apart = {
    line: 2,
    entryId: coffee,
    problem: {
      code: FileRowRefused.definition.code,
      cells: [{ row: 2, column: 'entryId', detail: expect.stringMatching(/row 2.*row 6/) }],
    },
  };

  it.each(['true', 'false'] as const)(
    'is refused whole with both rows named (dry run %s)',
    async (dryRun) => {
      const { body } = await importCsv(file, { dryRun });
      expect(body).toMatchObject({ accepted: 1, repeated: 0, refusedTotal: 1, refused: [apart] });
      const posted = await pine.rows('journal_entry');
      expect(posted.map(({ entry_id }) => entry_id)).toEqual(dryRun === 'true' ? [] : [tea]);
    },
  );

  it.each(['true', 'false'] as const)(
    'leaves nothing posted of all or nothing (dry run %s)',
    async (dryRun) => {
      const { body } = await importCsv(file, { mode: 'all-or-nothing', dryRun });
      expect(body).toMatchObject({ accepted: 0, repeated: 0, refusedTotal: 1, refused: [apart] });
      expect(await pine.rows('journal_entry')).toEqual([]);
    },
  );

  it('is refused also when its second part comes pieces later', async () => {
    const between = Array.from({ length: 1_500 }, () => pair(newId(), '1.00')).flat();
    const { body } = await importCsv([header, ...pair(coffee, '3.00'), ...between, ...pair(coffee, '3.00')]);
    expect(body).toMatchObject({ accepted: 1_500, refusedTotal: 1, refused: [{ line: 2, entryId: coffee }] });
    expect((await pine.rows('journal_entry')).map(({ entry_id }) => entry_id)).not.toContain(coffee);
  });

  it.each([
    ['in capitals and braces', (id: string) => `{${id.toUpperCase()}}`],
    ['without hyphens', (id: string) => id.replaceAll('-', '')],
    ['between blanks', (id: string) => ` ${id}\u00a0`],
  ])('is recognised by its id written %s', async (_, written) => {
    const other = pair(written(coffee), '3.00');
    const { body } = await importCsv([header, ...pair(coffee, '3.00'), ...pair(tea, '2.00'), ...other]);
    expect(body).toMatchObject({ accepted: 1, refused: [apart] });
    const { body: together } = await importCsv([header, ...pair(coffee, '3.00'), ...other]);
    expect(together).toMatchObject({ accepted: 1, refused: [] });
    expect((await pine.rows('journal_line')).filter(({ entry_id }) => entry_id === coffee)).toHaveLength(4);
  });

  it('is refused when an unreadable row far away holds its id', async () => {
    const unreadable = `${coffee},2026-03-31,"Goods,41,debit,1.00`;
    const { body } = await importCsv([
      header,
      ...pair(coffee, '3.00'),
      ...pair(tea, '2.00'),
      ...pair(newId(), '2.00'),
      unreadable,
    ]);
    expect(body.refused.map(({ line }) => line)).toEqual([2, 6, 8]);
    expect(await pine.rows('journal_entry')).toMatchObject([{ entry_id: tea }]);
  });

  it('goes on over rows without an id and over blank rows', async () => {
    const rows = [
      header,
      ...pair(coffee, '3.00'),
      ',,,,,',
      ',,,41,debit,2.00',
      ',,,60,credit,2.00',
      ',,,,,',
      ',,,,,',
    ];
    expect((await importCsv(rows)).body).toMatchObject({ accepted: 1, refusedTotal: 0 });
    expect(await pine.rows('journal_line')).toHaveLength(4);
  });

  it('is not posted beside a row whose id is no id', async () => {
    const rows = [header, ...pair(coffee, '3.00'), `${coffee}x,,,41,debit,1.00`, ...pair(tea, '2.00')];
    const { body } = await importCsv(rows);
    expect(body).toMatchObject({ accepted: 0, refused: [{ line: 2 }, { line: 4 }, { line: 5 }] });
  });

  it('counts as repeated only when it was in the books before the file', async () => {
    const rows = [header, ...pair(coffee, '3.00')];
    expect((await importCsv(rows)).body).toMatchObject({ accepted: 1, repeated: 0 });
    expect((await importCsv(rows)).body).toMatchObject({ accepted: 0, repeated: 1 });
  });
});

describe('a CSV file as a spreadsheet saves it', () => {
  const header = 'entryId;postingDate;description;accountCode;side;amount;;';
  const id = newId();

  it("is taken with its country's days and amounts, padded cells and words in capitals", async () => {
    const rows = [
      'sep=;',
      header,
      `${id};31.03.2026;Timber;41;DEBIT; 1 100,50;;`,
      `${id};;;60;Credit;1100,50;;`,
      ';;;;;;;',
    ];
    const { body } = await importFile(rows.join('\r\n'), { dryRun: 'true' }, 'application/vnd.ms-excel');
    expect(body).toMatchObject({
      accepted: 1,
      refused: [],
      understood: {
        separator: ';',
        columns: expect.arrayContaining([
          {
            column: 'amount',
            field: 'amount',
            readAs: 'amount, decimal comma',
            example: { written: '1 100,50', read: '1100.50' },
          },
        ]),
      },
    });
    expect((await importFile(rows.join('\r\n'), {}, 'text/csv')).body).toMatchObject({ accepted: 1 });
    const { json } = await pine.call(journalEntries.get, { params: { entryId: id } });
    expect(json).toMatchObject({ postingDate: '2026-03-31', lines: [{ amount: { amount: '1100.50' } }, {}] });
  });

  it('has its slips named by row and column, in words of the trade', async () => {
    const [one, two, three] = [newId(), newId(), newId()];
    const rows = [
      'entryId,postingDate,description,accountCode,side,amount,currency,baseAmount',
      `${one},31.03.2026,Goods,41,debit,1.00,,`,
      `${one},,,60,credit,,,`,
      `${two},2026-03-31,Alone,41,debit,1.00,,`,
      `${three},2026-03-31,Abroad,41,debit,1.00,,`,
      `${three},,,60,credit,1.00,USD,`,
    ];
    const { body } = await importCsv(rows);
    expect(body.refused.map(({ problem }) => problem['cells'] ?? problem['line'])).toEqual([
      [{ row: 3, column: 'amount', detail: 'it is empty' }],
      [{ row: 4, column: 'entryId', detail: expect.stringContaining('two or more') }],
      6,
    ]);
    const slip = rows[1]?.replace('60,credit,', '60,credit,1.00') ?? '';
    const { body: day } = await importCsv([rows[0] ?? '', slip, `${one},,,60,credit,1.00,,`]);
    expect(day.refused[0]?.problem['cells']).toEqual([
      { row: 2, column: 'postingDate', detail: 'must be an existing date written YYYY-MM-DD' },
    ]);
  });
});
