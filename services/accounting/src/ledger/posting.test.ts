import { Absent, MalformedRequest } from '@marimo/contracts';
import { accounts, journalEntries, journals } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import { entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

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

async function expectNothingPosted(): Promise<void> {
  expect(await pine.rows('journal_entry')).toEqual([]);
  expect(await pine.rows('journal_line')).toEqual([]);
  expect(await pine.rows('account_month')).toEqual([]);
  expect(await pine.rows('account_day')).toEqual([]);
  expect(await pine.rows('number_series')).toEqual([]);
  expect(await pine.events(journalEntries.posted.type)).toEqual([]);
}

describe('posting a journal entry', () => {
  it('numbers it, keeps it and tells it in one event', async () => {
    const given = entry();
    const posted = await pine.call(journalEntries.post, { body: given });
    expect(posted.status).toBe(201);
    expect(posted.json).toMatchObject({
      entryId: given.entryId,
      number: 'GJ-2026-000001',
      journalCode: 'GJ',
      postingDate: '2026-03-31',
      postedAt: '2026-03-31T09:00:00.000Z',
      reversalOf: null,
      reversedBy: null,
      lines: [
        { lineNumber: 1, accountCode: '41', side: 'debit', amount: { amount: '100.00', currency: 'RUB' } },
        {
          lineNumber: 2,
          accountCode: '60',
          side: 'credit',
          baseAmount: { amount: '100.00', currency: 'RUB' },
        },
      ],
    });
    const read = await pine.call(journalEntries.get, { params: { entryId: given.entryId } });
    expect(read.json).toEqual(posted.json);
    const events = await pine.events(journalEntries.posted.type);
    expect(events).toMatchObject([{ subject: given.entryId }]);
    expect(events[0]?.data).toEqual(posted.json);
  });

  it.each([
    ['one currency', ['41 debit 10.00', '60 credit 9.99'], [['0.01', 'RUB']], null],
    [
      'one foreign currency',
      ['41 debit 10.00 USD 900.00', '60 credit 9.00 USD 900.00'],
      [['1.00', 'USD']],
      null,
    ],
    ['too much credit', ['41 debit 10.00', '60 credit 30.00'], [['-20.00', 'RUB']], null],
    [
      'two currencies, which balance in base',
      ['41 debit 10.00 USD 900.00', '60 credit 9.00 EUR 901.00'],
      [],
      { amount: '-1.00', currency: 'RUB' },
    ],
    [
      'the base amounts, although the currency agrees',
      ['41 debit 10.00 USD 900.00', '60 credit 10.00 USD 899.00'],
      [],
      { amount: '1.00', currency: 'RUB' },
    ],
  ])(
    'refuses an entry out of balance, says by how much, and stores nothing: %s',
    async (_, lines, off, base) => {
      const answer = await pine.call(journalEntries.post, { body: entry({ lines }) });
      const differences = off.map(([amount, currency]) => ({ amount, currency }));
      if (differences[0]?.currency === 'RUB') {
        expect(answer).toBeRefused(journalEntries.EntryOutOfBalance, {
          differences,
          baseDifference: differences[0],
        });
      } else {
        expect(answer).toBeRefused(journalEntries.EntryOutOfBalance, { differences, baseDifference: base });
      }
      await expectNothingPosted();
    },
  );

  it('refuses accounts that take no postings, names them all, and stores nothing', async () => {
    await pine.accounts({ code: '10', isGroup: true }, 'old');
    const { body: page } = await pine.call(accounts.list, { query: { code: 'old' } });
    const params = { accountId: page.items[0]?.accountId ?? '' };
    await pine.call(accounts.change, { params, body: { archived: true } });
    const refused = (code: string) =>
      pine.call(journalEntries.post, { body: entry({ lines: [`${code} debit 5.00`, '60 credit 5.00'] }) });

    expect(await refused('10')).toBeRefused(accounts.AccountIsGroup, { accountCodes: ['10'] });
    expect(await refused('old')).toBeRefused(accounts.AccountArchived, { accountCodes: ['old'] });
    const lines = ['Касса debit 5.00', 'nobody credit 4.00', 'nobody credit 1.00'];
    expect(await pine.call(journalEntries.post, { body: entry({ lines }) })).toBeRefused(
      accounts.AccountUnknown,
      {
        accountCodes: ['Касса', 'nobody'],
      },
    );
    await expectNothingPosted();
  });

  it('refuses a journal that is not there', async () => {
    const answer = await pine.call(journalEntries.post, { body: entry({ journalCode: 'SALES' }) });
    expect(answer).toBeRefused(journals.JournalUnknown, { journalCode: 'SALES' });
    await expectNothingPosted();
  });

  it.each([
    ['a single line', entry({ lines: ['41 debit 1.00'] }), '/lines'],
    ['an amount of zero', entry({ lines: ['41 debit 0.00', '60 credit 0.00'] }), '/lines/0/amount/amount'],
    [
      'an amount below zero',
      entry({ lines: ['41 debit -1.00', '60 credit -1.00'] }),
      '/lines/0/amount/amount',
    ],
    ['half a kopeck', entry({ lines: ['41 debit 1.005', '60 credit 1.005'] }), '/lines/0/amount/amount'],
    ['no number at all', entry({ lines: ['41 debit NaN', '60 credit NaN'] }), '/lines/0/amount/amount'],
    [
      'an invented currency',
      entry({ lines: ['41 debit 1 XXQ', '60 credit 1 XXQ'] }),
      '/lines/0/amount/currency',
    ],
    ['a day that is none', entry({ postingDate: '2026-02-30' }), '/postingDate'],
    [
      'amounts that would burst the balances',
      entry({ lines: ['41 debit 500000000000000', '60 credit 500000000000000.01'] }),
      '/lines',
    ],
    ['a field nobody knows', { ...entry(), approved: true } as never, '/approved'],
  ])('refuses %s as malformed', async (_, body, pointer) => {
    const answer = await pine.call(journalEntries.post, { body });
    expect(answer).toBeRefused(MalformedRequest, {
      errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
    });
  });

  it('can be repeated: the second time it answers 200 with the same entry and adds nothing', async () => {
    const given = entry();
    const first = await pine.call(journalEntries.post, { body: given });
    const again = await pine.call(journalEntries.post, {
      body: { ...given, entryId: given.entryId.toUpperCase() },
    });
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first.json);
    expect(await pine.rows('journal_entry')).toHaveLength(1);
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(1);
  });

  it('can be repeated after its account was archived: what is posted is posted', async () => {
    const given = entry();
    await pine.call(journalEntries.post, { body: given });
    const { body: page } = await pine.call(accounts.list, { query: { code: '41' } });
    const params = { accountId: page.items[0]?.accountId ?? '' };
    await pine.call(accounts.change, { params, body: { archived: true } });
    expect((await pine.call(journalEntries.post, { body: given })).status).toBe(200);
  });

  it.each([
    ['another day', { postingDate: '2026-03-30' }],
    ['another description', { description: 'Goods returned' }],
    ['another amount', { lines: ['41 debit 100.01', '60 credit 100.01'] }],
    ['other accounts', { lines: ['60 debit 100.00', '41 credit 100.00'] }],
    ['another order of lines', { lines: ['60 credit 100.00', '41 debit 100.00'] }],
  ])('refuses a used id with %s as a conflict, and leaves the first entry alone', async (_, change) => {
    const given = entry();
    const first = await pine.call(journalEntries.post, { body: given });
    const other = await pine.call(journalEntries.post, {
      body: entry({ ...change, entryId: given.entryId }),
    });
    expect(other).toBeRefused(journalEntries.EntryConflict, {
      entryId: given.entryId,
      number: 'GJ-2026-000001',
    });
    const { entryId } = given;
    expect((await pine.call(journalEntries.get, { params: { entryId } })).json).toEqual(first.json);
  });

  it('numbers each journal and each year from 1', async () => {
    await pine.call(journals.create, { body: { code: 'BANK', name: 'Bank' } });
    const post = async (parts: Parameters<typeof entry>[0]) =>
      (await pine.call(journalEntries.post, { body: entry(parts) })).body.number;
    expect(await post({})).toBe('GJ-2026-000001');
    expect(await post({ postingDate: '2025-12-31' })).toBe('GJ-2025-000001');
    expect(await post({ journalCode: 'BANK' })).toBe('BANK-2026-000001');
    expect(await post({ postingDate: '2026-01-01' })).toBe('GJ-2026-000002');
  });
});

describe('posting in foreign currencies', () => {
  it('keeps each amount in its own currency and in the base currency', async () => {
    const lines = ['41 debit 10.00 USD 905.50', '60 credit 10.00 USD 905.50'];
    const { json } = await pine.call(journalEntries.post, { body: entry({ lines }) });
    const money = {
      amount: { amount: '10.00', currency: 'USD' },
      baseAmount: { amount: '905.50', currency: 'RUB' },
    };
    expect(json).toMatchObject({ lines: [money, money] });
  });

  it('takes a foreign amount so small that it is worth nothing', async () => {
    const lines = ['41 debit 1 VND 0.00', '60 credit 1 VND 0.00'];
    expect((await pine.call(journalEntries.post, { body: entry({ lines }) })).status).toBe(201);
  });

  it('refuses a foreign amount of which nobody says what it is worth', async () => {
    const lines = ['41 debit 10.00 USD 905.50', '60 credit 10.00 USD'];
    const answer = await pine.call(journalEntries.post, { body: entry({ lines }) });
    expect(answer).toBeRefused(journalEntries.BaseAmountMissing, { line: 2, baseCurrency: 'RUB' });
    await expectNothingPosted();
  });

  it.each([
    ['is not in the base currency', { amount: '905.50', currency: 'EUR' }],
    ['is below zero', { amount: '-905.50', currency: 'RUB' }],
  ])('refuses a base amount that %s', async (_, baseAmount) => {
    const given = entry({ lines: ['41 debit 10.00 USD', '60 credit 10.00 USD'] });
    const lines = given.lines.map((line) => ({ ...line, baseAmount }));
    const answer = await pine.call(journalEntries.post, { body: { ...given, lines } });
    expect(answer).toBeRefused(journalEntries.BaseAmountWrong, { line: 1, baseCurrency: 'RUB' });
  });

  it('refuses a base amount beside an amount in the base currency that says otherwise', async () => {
    const lines = ['41 debit 10.00 RUB 10.00', '60 credit 10.00 RUB 9.00'];
    const answer = await pine.call(journalEntries.post, { body: entry({ lines }) });
    expect(answer).toBeRefused(journalEntries.BaseAmountWrong, { line: 2 });
  });
});

describe('what another organisation sees', () => {
  it('is nothing: neither the entry nor its id', async () => {
    const given = entry();
    await pine.call(journalEntries.post, { body: given });
    const oak = organisationIn(service);
    await oak.accounts('41', '60');
    expect(await oak.call(journalEntries.get, { params: { entryId: given.entryId } })).toBeRefused(Absent);
    const own = await oak.call(journalEntries.post, {
      body: entry({ entryId: given.entryId, description: 'Ours' }),
    });
    expect(own.body).toMatchObject({ number: 'GJ-2026-000001', description: 'Ours' });
  });
});
