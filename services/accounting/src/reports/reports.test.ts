import { Absent, Forbidden, MalformedRequest } from '@marimo/contracts';
import { journalEntries, reports } from '@marimo/contracts/accounting';
import { type ServiceUnderTest, tokenFor } from '@marimo/testing';
import { entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
  pine = organisationIn(service);
  await pine.accounts(
    { code: '41', name: 'Goods' },
    '51',
    '52',
    { code: '60', type: 'liability' },
    { code: '90', type: 'income' },
    'idle',
  );
  const entries = [
    entry({ postingDate: '2025-12-31', lines: ['51 debit 1000.00', '90 credit 1000.00'] }),
    entry({ postingDate: '2026-01-15', lines: ['41 debit 300.00', '60 credit 300.00'] }),
    entry({ postingDate: '2026-01-31', lines: ['60 debit 300.00', '51 credit 300.00'], description: 'Paid' }),
    entry({ postingDate: '2026-02-01', lines: ['52 debit 10.00 USD 905.50', '60 credit 10.00 USD 905.50'] }),
    entry({
      postingDate: '2026-02-01',
      lines: ['51 debit 0.01', '51 credit 0.02', '90 debit 0.01'],
      description: 'Fee',
    }),
  ];
  await pine.call(journalEntries.postBatch, { query: {}, body: { entries } });
});
afterAll(() => service?.stop());

async function trialBalance(query: { asOf: string; from?: string }) {
  const { body } = await pine.call(reports.getTrialBalance, { query });
  const told = ({ opening, debit, credit, balance }: (typeof body)['totals']) =>
    [opening, debit, credit, balance].map((money) => money.toText()).join(' ');
  return [...body.rows.map((row) => `${row.accountCode}: ${told(row)}`), `total: ${told(body.totals)}`];
}

describe('the trial balance', () => {
  it('shows opening, debit, credit and balance of every account with postings up to the day', async () => {
    expect(await trialBalance({ asOf: '2026-02-28' })).toEqual([
      '41: 0.00 300.00 0.00 300.00',
      '51: 0.00 1000.01 300.02 699.99',
      '52: 0.00 905.50 0.00 905.50',
      '60: 0.00 300.00 1205.50 -905.50',
      '90: 0.00 0.01 1000.00 -999.99',
      'total: 0.00 2505.52 2505.52 0.00',
    ]);
  });

  it.each([
    ['2025-12-30', ['total: 0.00 0.00 0.00 0.00']],
    [
      '2025-12-31',
      ['51: 0.00 1000.00 0.00 1000.00', '90: 0.00 0.00 1000.00 -1000.00', 'total: 0.00 1000.00 1000.00 0.00'],
    ],
    [
      '2026-01-30',
      [
        '41: 0.00 300.00 0.00 300.00',
        '51: 0.00 1000.00 0.00 1000.00',
        '60: 0.00 0.00 300.00 -300.00',
        '90: 0.00 0.00 1000.00 -1000.00',
        'total: 0.00 1300.00 1300.00 0.00',
      ],
    ],
  ])('counts the postings of %s and nothing later', async (asOf, rows) => {
    expect(await trialBalance({ asOf })).toEqual(rows);
  });

  it('shows the turnover of some days between the balances before and after them', async () => {
    expect(await trialBalance({ from: '2026-01-31', asOf: '2026-02-01' })).toEqual([
      '41: 300.00 0.00 0.00 300.00',
      '51: 1000.00 0.01 300.02 699.99',
      '52: 0.00 905.50 0.00 905.50',
      '60: -300.00 300.00 905.50 -905.50',
      '90: -1000.00 0.01 0.00 -999.99',
      'total: 0.00 1205.52 1205.52 0.00',
    ]);
  });

  it('is what the contract of the API promises, word for word', async () => {
    const { json } = await pine.call(reports.getTrialBalance, { query: { asOf: '2025-12-31' } });
    const rub = (amount: string) => ({ amount, currency: 'RUB' });
    expect(json).toMatchObject({
      asOf: '2025-12-31',
      rows: [
        { accountCode: '51', debit: rub('1000.00'), credit: rub('0.00'), balance: rub('1000.00') },
        { accountCode: '90', debit: rub('0.00'), credit: rub('1000.00'), balance: rub('-1000.00') },
      ],
      totals: { debit: rub('1000.00'), credit: rub('1000.00'), balance: rub('0.00') },
    });
  });

  it('is refused when it adds up to more than an amount may be, and so is a statement', async () => {
    const rich = organisationIn(service);
    await rich.accounts('41', '60');
    const huge = { lines: ['41 debit 500000000000000.00', '60 credit 500000000000000.00'] };
    for (const postingDate of ['2026-01-15', '2026-02-15']) {
      const entries = Array.from({ length: 150 }, () => entry({ ...huge, postingDate }));
      await rich.call(journalEntries.postBatch, { query: {}, body: { entries } });
    }
    const until = (asOf: string) => rich.call(reports.getTrialBalance, { query: { asOf } });
    expect(await until('2026-12-31')).toBeRefused(reports.SumTooLarge);
    expect((await until('2026-01-31')).body.rows[0]?.balance.toText()).toBe('75000000000000000.00');
    const query = { accountCode: '41', from: '2026-01-01', to: '2026-12-31', limit: 1 };
    const statement = await rich.call(reports.getAccountStatement, { query });
    expect(statement).toBeRefused(reports.SumTooLarge);
  });

  it('of another organisation is empty, in its own currency', async () => {
    const { json } = await organisationIn(service, 'EUR').call(reports.getTrialBalance, {
      query: { asOf: '2026-12-31' },
    });
    expect(json).toMatchObject({ rows: [], totals: { balance: { amount: '0.00', currency: 'EUR' } } });
  });

  it('refuses days that end before they begin', async () => {
    const query = { from: '2026-12-31', asOf: '2026-01-01' };
    expect(await pine.call(reports.getTrialBalance, { query })).toBeRefused(MalformedRequest);
  });

  it('is for those who may see reports, and needs a day', async () => {
    const as = tokenFor({ tenantId: pine.tenantId, roles: ['user'] });
    expect(await pine.call(reports.getTrialBalance, { query: { asOf: '2026-12-31' } }, { as })).toBeRefused(
      Forbidden,
    );
    expect(await pine.call(reports.getTrialBalance, { query: {} as never })).toBeRefused(MalformedRequest);
  });
});

describe('the statement of an account', () => {
  const statement = (query: object) =>
    pine.call(reports.getAccountStatement, {
      query: { accountCode: '51', from: '2026-01-01', to: '2026-02-28', ...query },
    });

  it('shows each line with the balance after it, between opening and closing', async () => {
    const { body } = await statement({});
    expect([body.opening.toText(), body.closing.toText(), body.next]).toEqual(['1000.00', '699.99', null]);
    expect(
      body.items.map(({ postingDate, number, description, side, amount, balance }) =>
        [postingDate, number, description, side, amount.toText(), balance.toText()].join(' | '),
      ),
    ).toEqual([
      '2026-01-31 | GJ-2026-000002 | Paid | credit | 300.00 | 700.00',
      '2026-02-01 | GJ-2026-000004 | Fee | debit | 0.01 | 700.01',
      '2026-02-01 | GJ-2026-000004 | Fee | credit | 0.02 | 699.99',
    ]);
  });

  it('shows foreign lines in their currency and in the base currency', async () => {
    const { json } = await statement({ accountCode: '52' });
    expect(json).toMatchObject({
      items: [
        { amount: { amount: '10.00', currency: 'USD' }, baseAmount: { amount: '905.50', currency: 'RUB' } },
      ],
    });
  });

  it('comes in pages whose balances go on where the page before ended, also after a late posting', async () => {
    const oak = organisationIn(service);
    await oak.accounts('50', '90');
    const day = (date: string) => entry({ postingDate: date, lines: ['50 debit 1.00', '90 credit 1.00'] });
    const entries = ['01', '02', '02', '02', '02', '03'].map((each) => day(`2026-03-${each}`));
    await oak.call(journalEntries.postBatch, { query: {}, body: { entries } });
    const balances: string[][] = [];
    let after: string | undefined;
    do {
      const { body } = await oak.call(reports.getAccountStatement, {
        query: {
          accountCode: '50',
          from: '2026-03-01',
          to: '2026-03-31',
          limit: 2,
          ...(after !== undefined && { after }),
        },
      });
      balances.push(body.items.map(({ balance }) => balance.toText()));
      after = body.next ?? undefined;
      // From the second page on there is one rouble more from before the first.
      if (balances.length === 1) {
        await oak.call(journalEntries.postBatch, { query: {}, body: { entries: [day('2026-02-28')] } });
      }
    } while (after !== undefined);
    expect(balances).toEqual([
      ['1.00', '2.00'],
      ['4.00', '5.00'],
      ['6.00', '7.00'],
    ]);
  });

  describe('of a group', () => {
    let oak: Organisation;
    beforeAll(async () => {
      oak = organisationIn(service);
      await oak.accounts(
        { code: '10', isGroup: true },
        { code: '10.1', isGroup: true, parentCode: '10' },
        { code: '10.11', parentCode: '10.1' },
        { code: '10.2', parentCode: '10' },
        '41',
        { code: '60', type: 'liability' },
      );
      const entries = [
        entry({ postingDate: '2026-04-30', lines: ['10.2 debit 2.00', '60 credit 2.00'] }),
        entry({ postingDate: '2026-05-01', lines: ['10.11 debit 40.00', '60 credit 40.00'] }),
        entry({ postingDate: '2026-05-01', lines: ['41 debit 7.00', '60 credit 7.00'] }),
        entry({ postingDate: '2026-05-02', lines: ['10.2 debit 5.00', '10.11 credit 5.00'] }),
      ];
      await oak.call(journalEntries.postBatch, { query: {}, body: { entries } });
    });

    it('shows the lines of all accounts below it, with their balance, page by page', async () => {
      const query = { accountCode: '10', from: '2026-05-01', to: '2026-12-31' };
      const { body } = await oak.call(reports.getAccountStatement, { query });
      expect([body.opening.toText(), body.closing.toText()]).toEqual(['2.00', '42.00']);
      const told = (items: typeof body.items) =>
        items.map(({ accountCode, side, amount, balance }) =>
          [accountCode, side, amount.toText(), balance.toText()].join(' '),
        );
      const expected = ['10.11 debit 40.00 42.00', '10.2 debit 5.00 47.00', '10.11 credit 5.00 42.00'];
      expect(told(body.items)).toEqual(expected);
      const pages: string[] = [];
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof oak.call<typeof reports.getAccountStatement>>> = await oak.call(
          reports.getAccountStatement,
          { query: { ...query, limit: 1, ...(after !== null && { after }) } },
        );
        pages.push(...told(page.body.items));
        after = page.body.next;
      } while (after !== null);
      expect(pages).toEqual(expected);
    });

    it('is that of its own groups too', async () => {
      const query = { accountCode: '10.1', from: '2026-01-01', to: '2026-12-31' };
      const { body } = await oak.call(reports.getAccountStatement, { query });
      expect([body.closing.toText(), body.items.length]).toEqual(['35.00', 2]);
    });

    it('filters the journal entries to those with a line below it', async () => {
      const { body } = await oak.call(journalEntries.list, { query: { accountCode: '10' } });
      expect(body.items.map(({ postingDate }) => postingDate)).toEqual([
        '2026-05-02',
        '2026-05-01',
        '2026-04-30',
      ]);
      expect((await oak.call(journalEntries.list, { query: { accountCode: '99' } })).body.items).toEqual([]);
    });
  });

  it('of an account without postings is empty; of one that is not there it is refused', async () => {
    expect((await statement({ accountCode: 'idle' })).body).toMatchObject({ items: [], next: null });
    expect(await statement({ accountCode: 'nobody' })).toBeRefused(Absent);
    expect(await statement({ from: '2026-12-31', to: '2026-01-01' })).toBeRefused(MalformedRequest);
  });
});
