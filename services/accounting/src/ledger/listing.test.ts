import { MalformedRequest, newId } from '@marimo/contracts';
import { journalEntries, journals } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import { entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
  pine = organisationIn(service);
  await pine.accounts('41', '51', '60');
  await pine.call(journals.create, { body: { code: 'BANK', name: 'Bank' } });
  const entries = [
    entry({ postingDate: '2026-01-10', description: 'Boards' }),
    entry({ postingDate: '2026-01-10', description: 'Nails 50% off_' }),
    entry({
      postingDate: '2026-02-20',
      description: 'Гвозди жёлтые',
      journalCode: 'BANK',
      lines: ['60 debit 7', '51 credit 7'],
    }),
    entry({ postingDate: '2025-12-31', description: 'Old boards' }),
    entry({ postingDate: '2026-01-10', description: 'Glue' }),
  ];
  await pine.call(journalEntries.postBatch, { query: {}, body: { entries } });
});
afterAll(() => service?.stop());

const described = async (query: object = {}) => {
  const { body } = await pine.call(journalEntries.list, { query });
  return body.items.map(({ description }) => description);
};

describe('the list of journal entries', () => {
  it('begins with the latest day, and within a day with the highest number', async () => {
    expect(await described()).toEqual(['Гвозди жёлтые', 'Glue', 'Nails 50% off_', 'Boards', 'Old boards']);
  });

  it('shows what each entry moves', async () => {
    const { json } = await pine.call(journalEntries.list, { query: { limit: 1 } });
    expect(json).toMatchObject({
      items: [{ number: 'BANK-2026-000001', total: { amount: '7.00', currency: 'RUB' }, reversalOf: null }],
    });
  });

  it.each([
    ['days', { from: '2026-01-01', to: '2026-01-31' }, ['Glue', 'Nails 50% off_', 'Boards']],
    ['an account', { accountCode: '51' }, ['Гвозди жёлтые']],
    ['an account and days without it', { accountCode: '51', to: '2026-01-31' }, []],
    ['a journal', { journalCode: 'BANK' }, ['Гвозди жёлтые']],
    ['a word in any case', { text: 'гвозд' }, ['Гвозди жёлтые']],
    ['a word with е for ё', { text: 'ЖЕЛТ' }, ['Гвозди жёлтые']],
    ['a number', { text: '2025-000001' }, ['Old boards']],
    ['signs that mean something elsewhere', { text: '0% off_' }, ['Nails 50% off_']],
    ['an account nobody has', { accountCode: 'x' }, []],
  ])('can be narrowed to %s', async (_, query, expected) => {
    expect(await described(query)).toEqual(expected);
  });

  it('comes in pages that neither repeat nor skip, also while older and newer entries are posted', async () => {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { body } = await pine.call(journalEntries.list, {
        query: { limit: 2, to: '2026-01-31', ...(after !== undefined && { after }) },
      });
      seen.push(...body.items.map(({ description }) => description));
      after = body.next ?? undefined;
      const meanwhile = entry({ postingDate: '2026-01-31', description: 'Meanwhile' });
      await pine.call(journalEntries.postBatch, { query: {}, body: { entries: [meanwhile] } });
    } while (after !== undefined);
    expect(seen).toEqual(['Glue', 'Nails 50% off_', 'Boards', 'Old boards']);
  });

  it.each([['nonsense'], [Buffer.from('["2026-01-01"]').toString('base64url')], [newId()]])(
    'refuses a place that is none: %s',
    async (after) => {
      expect(await pine.call(journalEntries.list, { query: { after } })).toBeRefused(MalformedRequest);
    },
  );

  it('is empty for another organisation', async () => {
    const { body } = await organisationIn(service).call(journalEntries.list, { query: {} });
    expect(body).toEqual({ items: [], next: null });
  });
});
