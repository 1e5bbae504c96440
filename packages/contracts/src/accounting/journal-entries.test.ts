import { PostJournalEntry } from './journal-entries.ts';

const line = (side: string, amount: object) => ({ accountCode: '50', side, amount });
const entry = (...amounts: object[]) => ({
  entryId: '0192f3c4-7a10-7000-8000-000000000001',
  postingDate: '2026-01-15',
  description: 'Paid-in capital',
  lines: amounts.map((amount, place) => line(place % 2 === 0 ? 'debit' : 'credit', amount)),
});
const five = { amount: '5.00', currency: 'EUR' };

describe('an entry to post', () => {
  it('is read with its amounts as Money', () => {
    expect(PostJournalEntry.parse(entry(five, five)).lines[0]?.amount.minor).toBe(500n);
  });

  it.each([
    ['an amount with an unknown field', { ...five, cents: 0 }],
    ['an amount of more digits than are read', { ...five, amount: '9'.repeat(51) }],
    ['an amount as a number', { ...five, amount: 5 }],
    ['an unknown currency', { ...five, currency: 'XYZ' }],
  ])('is refused at the field for %s, and the sum of its lines is not asked for', (_, amount) => {
    const { error } = PostJournalEntry.safeParse(entry(five, amount));
    expect(error?.issues.map(({ path }) => path.slice(0, 3))).toEqual([['lines', 1, 'amount']]);
  });
});
