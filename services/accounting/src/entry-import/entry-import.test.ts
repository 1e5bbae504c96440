import { BodyTooLarge, Forbidden, MalformedRequest, newId, UnsupportedMediaType } from '@marimo/contracts';
import { accounts, journalEntries } from '@marimo/contracts/accounting';
import { type ServiceUnderTest, tokenFor } from '@marimo/testing';
import {
  type EntryInput,
  entry,
  type Organisation,
  organisationIn,
  startAccounting,
} from '../../test/organisation.ts';

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

const importFile = (
  body: string | Uint8Array<ArrayBuffer>,
  query: Query = {},
  contentType = 'application/x-ndjson',
) => pine.call(journalEntries.importFile, { query }, { raw: { contentType, body } });
const importEntries = (entries: readonly EntryInput[], query?: Query) =>
  importFile(entries.map((each) => JSON.stringify(each)).join('\n'), query);
const importCsv = (lines: readonly string[], query?: Query) =>
  importFile(lines.join('\n'), query, 'text/csv');

const codeOf = (refusal: { definition: { code: string } }) => refusal.definition.code;
const unbalanced = () => entry({ lines: ['41 debit 1.00', '60 credit 2.00'] });
const unknown = () => entry({ lines: ['41 debit 1.00', '99 credit 1.00'] });

describe('importing entries, each for itself', () => {
  it('takes what is right, names each refused line, and posts the rest as if it came alone', async () => {
    const [good, bad, worse, last] = [entry(), unbalanced(), unknown(), entry()];
    const { status, body } = await importEntries([good, bad, worse, last]);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      accepted: 2,
      repeated: 0,
      refusedTotal: 2,
      refused: [
        {
          line: 2,
          entryId: bad.entryId,
          problem: { code: codeOf(journalEntries.EntryOutOfBalance), status: 422 },
        },
        {
          line: 3,
          entryId: worse.entryId,
          problem: { code: codeOf(accounts.AccountUnknown), accountCodes: ['99'] },
        },
      ],
    });
    const { body: stored } = await pine.call(journalEntries.get, { params: { entryId: last.entryId } });
    expect(stored.number).toBe('GJ-2026-000002');
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(2);
  });

  it('goes on behind lines that are no entries, and names them by their place in the file', async () => {
    const good = entry();
    const file = [
      '{"entryId":',
      '',
      '"text"',
      JSON.stringify({ ...entry(), postingDate: 'today' }),
      JSON.stringify(good),
    ];
    const { body } = await importFile(file.join('\r\n'));
    expect(body).toMatchObject({
      accepted: 1,
      refused: [
        { line: 1, entryId: null, problem: { code: codeOf(MalformedRequest), status: 400 } },
        { line: 3, entryId: null },
        {
          line: 4,
          problem: {
            errors: expect.arrayContaining([
              { pointer: '/postingDate', detail: 'must be an existing date written YYYY-MM-DD' },
            ]),
          },
        },
      ],
    });
  });

  it('can be repeated: everything is there already and nothing changes', async () => {
    const entries = [entry(), unbalanced(), entry()];
    await importEntries(entries);
    const before = await pine.rows('account_day');
    expect((await importEntries(entries)).body).toMatchObject({ accepted: 0, repeated: 2, refusedTotal: 1 });
    expect(await pine.rows('account_day')).toEqual(before);
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(2);
  });

  it('can be repeated after it broke off in the middle', async () => {
    const entries = Array.from({ length: 3_000 }, () => entry());
    const lines = entries.map((each) => JSON.stringify(each)).join('\n');
    const cut = fetch(`${service.url}${journalEntries.importFile.path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenFor({ tenantId: pine.tenantId })}`,
        'content-type': 'application/x-ndjson',
      },
      body: new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.from(lines.slice(0, lines.length / 2)));
          while ((await pine.rows('journal_entry')).length === 0)
            await new Promise((later) => setTimeout(later, 20));
          controller.error(new Error('the connection broke'));
        },
      }),
      duplex: 'half',
    } as RequestInit);
    await expect(cut).rejects.toThrow();
    const { body } = await importEntries(entries);
    expect(body.refusedTotal).toBe(0);
    expect(body.repeated).toBeGreaterThan(0);
    expect(body.accepted + body.repeated).toBe(3_000);
    const numbers = (await pine.rows<{ sequence: string }>('journal_entry')).map(({ sequence }) =>
      Number(sequence),
    );
    expect(numbers.sort((a, b) => a - b)).toEqual(entries.map((_, index) => index + 1));
  });

  it('refuses an id that was used for something else, in the books or further up in the file', async () => {
    const posted = entry();
    await pine.call(journalEntries.post, { body: posted });
    const first = entry();
    const { body } = await importEntries([
      { ...posted, description: 'Other goods' },
      first,
      first,
      { ...first, description: 'Other goods' },
    ]);
    expect(body).toMatchObject({
      accepted: 1,
      repeated: 1,
      refused: [
        { line: 1, problem: { code: codeOf(journalEntries.EntryConflict), number: 'GJ-2026-000001' } },
        { line: 4, problem: { code: codeOf(journalEntries.EntryConflict) } },
      ],
    });
  });

  it('takes a file without any entry as it is', async () => {
    expect((await importFile('')).json).toEqual({ accepted: 0, repeated: 0, refused: [], refusedTotal: 0 });
    expect((await importFile('\n\n')).body.accepted).toBe(0);
  });
});

describe('importing entries, all or nothing', () => {
  it('posts all when all are right', async () => {
    const { body } = await importEntries([entry(), entry()], { mode: 'all-or-nothing' });
    expect(body).toMatchObject({ accepted: 2, refusedTotal: 0 });
    expect(await pine.rows('journal_entry')).toHaveLength(2);
  });

  it.each([
    ['an entry is refused', JSON.stringify(unbalanced())],
    ['a line cannot be read', '{'],
  ])('posts nothing when %s', async (_, line) => {
    const file = [JSON.stringify(entry()), line, JSON.stringify(entry())].join('\n');
    const { body } = await importFile(file, { mode: 'all-or-nothing' });
    expect(body).toMatchObject({ accepted: 0, repeated: 0, refusedTotal: 1, refused: [{ line: 2 }] });
    expect(await pine.rows('journal_entry')).toEqual([]);
    expect(await pine.rows('number_series')).toEqual([]);
    expect(await pine.events(journalEntries.posted.type)).toEqual([]);
  });
});

describe('a dry run', () => {
  it.each(['each', 'all-or-nothing'] as const)(
    'of %s says what would happen and does nothing',
    async (mode) => {
      const first = entry();
      const present = entry();
      await pine.call(journalEntries.post, { body: present });
      const file = [first, first, present, unbalanced(), entry(), { ...first, description: 'Other goods' }];
      const dry = await importEntries(file, { mode, dryRun: 'true' });
      expect(await pine.rows('journal_entry')).toHaveLength(1);
      expect(await pine.rows('number_series')).toMatchObject([{ last_number: 1n }]);
      const real = await importEntries(file, { mode, dryRun: 'false' });
      const counts = mode === 'each' ? { accepted: 2, repeated: 2 } : { accepted: 0, repeated: 2 };
      expect(real.body).toMatchObject({ ...counts, refused: [{ line: 4 }, { line: 6 }] });
      const plain = (answer: typeof dry) =>
        JSON.stringify(answer.json).replaceAll(/"number":[^,}]*|GJ-2026-\d+|in this request/g, '');
      expect(plain(dry)).toEqual(plain(real));
    },
  );
});

describe('importing CSV', () => {
  const header =
    'entryId,postingDate,description,accountCode,side,amount,currency,baseAmount,lineDescription';
  const [one, two, three] = [newId(), newId(), newId()];

  it('takes the rows that follow each other with one id as the lines of one entry', async () => {
    const { body } = await importCsv([
      header,
      `${one},2026-03-31,"Boards, sawn",41,debit,70.00,RUB,,oak`,
      `${one},2026-03-31,"Boards, sawn",41,debit,30.00,RUB,,`,
      `${one},,,60,credit,100.00,,,`,
      `${two},2026-03-30,Imported,41,debit,10.00,USD,905.50,`,
      `${two},,,60,credit,10.00,USD,905.50,`,
    ]);
    expect(body).toMatchObject({ accepted: 2, refusedTotal: 0 });
    const { json } = await pine.call(journalEntries.get, { params: { entryId: one } });
    expect(json).toMatchObject({
      description: 'Boards, sawn',
      lines: [
        { accountCode: '41', amount: { amount: '70.00' }, description: 'oak' },
        { accountCode: '41', amount: { amount: '30.00' }, description: null },
        { accountCode: '60', side: 'credit', amount: { amount: '100.00', currency: 'RUB' } },
      ],
    });
  });

  it('names a refused entry by its first row', async () => {
    const { body } = await importCsv([
      header,
      `${one},2026-03-31,Right,41,debit,1.00,RUB,,`,
      `${one},,,60,credit,1.00,RUB,,`,
      '',
      `${two},2026-03-31,Wrong,41,debit,1.00,RUB,,`,
      `${two},,,60,credit,2.00,RUB,,`,
      `${three},2026-03-31,Strange,41,debit,1.00,RUB,,`,
      `${three},2026-04-01,Strange,60,credit,1.00,RUB,,`,
    ]);
    expect(body).toMatchObject({
      accepted: 1,
      refused: [
        { line: 5, entryId: two, problem: { code: codeOf(journalEntries.EntryOutOfBalance) } },
        { line: 7, entryId: three, problem: { cells: [{ row: 8, column: 'postingDate' }] } },
      ],
    });
  });

  it('posts no entry that an unreadable row may belong to, though the rest of it balances', async () => {
    const row = (id: string, account: string, side: string) =>
      `${id},2026-03-31,Goods,${account},${side},1.00,RUB,,`;
    const { body } = await importCsv([
      header,
      row(one, '41', 'debit'),
      row(one, '60', 'credit'),
      `${one},2026-03-31,"Goods,41,debit,5.00,RUB,,`,
      row(two, '41', 'debit'),
      row(two, '60', 'credit'),
      row(three, '41', 'debit'),
      row(three, '60', 'credit'),
    ]);
    expect(body.accepted).toBe(1);
    expect(body.refused.map(({ line, entryId }) => [line, entryId])).toEqual([
      [2, one],
      [4, null],
      [5, two],
    ]);
    expect(await pine.rows('journal_entry')).toMatchObject([{ entry_id: three }]);
  });

  it('refuses a file whose header it does not know', async () => {
    expect(await importCsv(['Счет,Сумма', '41,1.00'])).toBeRefused(MalformedRequest);
  });
});

describe('an import that is not one', () => {
  it('is refused for its content type, its size and its sender', async () => {
    expect(await importFile('[]', {}, 'application/json')).toBeRefused(UnsupportedMediaType);
    expect(await importFile(new Uint8Array(65 * 1024 * 1024))).toBeRefused(BodyTooLarge);
    const clerk = tokenFor({ tenantId: pine.tenantId, roles: ['user'] });
    const raw = { contentType: 'text/csv', body: '' };
    expect(await pine.call(journalEntries.importFile, { query: {} }, { raw, as: clerk })).toBeRefused(
      Forbidden,
    );
  });
});

describe('amounts that each fit, but not their sum', () => {
  const huge = () => entry({ lines: ['41 debit 400000000000000.00', '60 credit 400000000000000.00'] });
  const file = () => Array.from({ length: 300 }, huge);

  it('are taken as long as the balances can hold them; those that would not fit are refused, and nothing fails', async () => {
    const { status, body } = await importEntries([...file(), entry()]);
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 231, repeated: 0, refusedTotal: 70 });
    for (const { problem } of body.refused) expect(problem.code).toBe(codeOf(journalEntries.BalanceTooLarge));
    expect(await pine.rows('journal_entry')).toHaveLength(231);
  });

  it('are refused together where all or nothing was asked for, and when posted one by one', async () => {
    expect(await importEntries(file(), { mode: 'all-or-nothing' })).toBeRefused(
      journalEntries.BalanceTooLarge,
    );
    expect(await pine.rows('journal_entry')).toEqual([]);
    await importEntries(file());
    expect(await pine.call(journalEntries.post, { body: huge() })).toBeRefused(
      journalEntries.BalanceTooLarge,
    );
  });
});
