import { journalEntries } from '@marimo/contracts/accounting';
import { entry } from '../../test/organisation.ts';
import { balance, digestOf, entryNumber, reversing } from './ledger.ts';

const parsed = (lines: string[]) => journalEntries.PostJournalEntry.parse(entry({ lines }));

describe('the balance rule', () => {
  // A sale with its tax; dollars exchanged on the way to the bank; then as banks and revaluation write them: 100 EUR
  // sold for 108 USD, both worth 9,800 RUB; 100 USD sold for 9,000 RUB that were worth 9,055 RUB; dollars that are
  // worth 12.50 RUB more at the end of the month; and a rounding of 0.01 RUB between dollars.
  it.each([
    [['62 debit 120.00', '90.01 credit 100.00', '68 credit 20.00']],
    [['62 debit 0.01', '90.01 credit 0.01']],
    [['52 debit 10.00 USD 905.50', '57 credit 10.00 USD 905.50', '57 debit 905.50', '51 credit 905.50']],
    [['60 debit 10 JPY 6.00', '52 credit 4 JPY 2.40', '52 credit 6 JPY 3.60']],
    [['52 debit 108.00 USD 9800.00', '52 credit 100.00 EUR 9800.00']],
    [['51 debit 9000.00', '91 debit 55.00', '52 credit 100.00 USD 9055.00']],
    [['52 debit 12.50', '91 credit 12.50']],
    [['60 debit 3.00 USD 271.66', '52 credit 3.00 USD 271.65', '91 credit 0.01']],
  ])('accepts %j', (lines) => {
    expect(balance(parsed(lines), 'RUB').lines).toHaveLength(lines.length);
  });

  it.each([
    ['are off in the one currency they share', ['52 debit 2.00 USD 180.00', '57 credit 1.00 USD 180.00']],
    [
      'are off in base, though their one currency agrees',
      ['52 debit 1.00 USD 90.00', '57 credit 1.00 USD 91.00'],
    ],
    [
      'are of two currencies and off in base',
      ['52 debit 108.00 USD 9800.00', '52 credit 100.00 EUR 9800.01'],
    ],
    ['agree in number, and not in worth', ['52 debit 5.00 USD 450.00', '52 credit 5.00 EUR 490.00']],
  ])('refuses lines that %s', (_, lines) => {
    expect(() => balance(parsed(lines), 'RUB')).toThrow(journalEntries.EntryOutOfBalance);
  });

  it('gives an amount in the base currency as its own base amount', () => {
    const { lines } = balance(parsed(['41 debit 7.00', '60 credit 7.00']), 'RUB');
    expect(lines.map(({ baseAmount }) => baseAmount.toText())).toEqual(['7.00', '7.00']);
  });

  it('adds up exactly where floating point would not', () => {
    const dimes = Array.from({ length: 10 }, () => '41 debit 0.10');
    expect(() => balance(parsed([...dimes, '60 credit 1.00']), 'RUB')).not.toThrow();
    const large = ['41 debit 90071992547409.93', '60 credit 90071992547409.92'];
    expect(() => balance(parsed(large), 'RUB')).toThrow(journalEntries.EntryOutOfBalance);
  });
});

describe('what an entry says', () => {
  it('is the same however its amounts are spelled', () => {
    const [one, other] = [
      ['41 debit 5', '60 credit 5'],
      ['41 debit 5.00', '60 credit 5.00 RUB 5.00'],
    ].map(parsed);
    expect(digestOf(balance(one!, 'RUB'))).toEqual(digestOf(balance(other!, 'RUB')));
  });
});

describe('the number of an entry', () => {
  it.each([
    [1n, 'GJ-2026-000001'],
    [123n, 'GJ-2026-000123'],
    [1_234_567n, 'GJ-2026-1234567'],
  ])('%s is written %s', (sequence, number) => {
    expect(entryNumber('GJ', 2026, sequence)).toBe(number);
  });
});

describe('a reversing entry', () => {
  it('exchanges the sides of every line and keeps accounts, amounts and worth', () => {
    const { entryId, lines } = balance(
      parsed(['52 debit 10.00 USD 905.50', '57 credit 10.00 USD 905.50']),
      'RUB',
    );
    const original = {
      entryId,
      number: 'GJ-2026-000007',
      journalCode: 'GJ',
      postingDate: '2026-03-31',
      lines: lines.map((line, index) => ({ ...line, lineNumber: index + 1 })),
    } as unknown as journalEntries.JournalEntry;
    const reversal = reversing(original, 'another id', {});
    expect(reversal).toMatchObject({
      postingDate: '2026-03-31',
      description: 'Storno GJ-2026-000007',
      reversalOf: entryId,
    });
    const told = balance(reversal, 'RUB').lines.map(({ accountCode, side, amount, baseAmount }) =>
      [accountCode, side, amount.toText(), baseAmount.toText()].join(' '),
    );
    expect(told).toEqual(['52 credit 10.00 905.50', '57 debit 10.00 905.50']);
  });
});
