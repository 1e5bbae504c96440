import * as fc from 'fast-check';
import { MeasureError } from './failure.ts';
import { Price } from './price.ts';
import { Quantity } from './quantity.ts';
import { isUnitCode, unitCodes, unitFactor } from './units.ts';

const text = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
    fc.integer({ min: 0, max: 999_999_999 }),
  )
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(9, '0')}`);

describe('a quantity', () => {
  it('is read and written exactly', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...unitCodes), (value, unit) => {
        const quantity = Quantity.parse(value, unit);
        expect(Quantity.parse(quantity.toText(), unit)).toEqual(quantity);
        expect(quantity.toText()).toBe(value.replace(/\.?0+$/, ''));
      }),
    );
  });

  it('is the same however many zeros end it', () => {
    expect(Quantity.parse('3.50', 'KGM')).toEqual(Quantity.parse('3.5', 'KGM'));
    expect(Quantity.parse('1000', 'KGM').toJSON()).toEqual({ value: '1000', unit: 'KGM' });
  });

  it('adds up within its unit only', () => {
    const [half, third] = [Quantity.parse('0.5', 'KGM'), Quantity.parse('0.333', 'KGM')];
    expect(half.plus(third).toText()).toBe('0.833');
    expect(third.minus(half).toText()).toBe('-0.167');
    expect(half.compare(third)).toBe(1);
    expect(() => half.plus(Quantity.parse('500', 'GRM'))).toThrow('convert first');
  });

  it.each([
    ['0.1234567891', 'may have at most 9 decimals, not 10'],
    ['1000000000000000000', 'may have at most 18 digits before the point'],
    ['1e3', 'must be decimal text'],
  ])('cannot be %s', (value, complaint) => {
    expect(() => Quantity.parse(value, 'KGM')).toThrow(complaint);
  });
});

describe('converting between units', () => {
  it.each([
    ['2.5', 'TNE', 'KGM', '2500'],
    ['750', 'GRM', 'KGM', '0.75'],
    ['1', 'LBR', 'GRM', '453.59237'],
    ['16', 'ONZ', 'LBR', '1'],
    ['5', 'DZN', 'C62', '60'],
    ['1', 'INH', 'MMT', '25.4'],
    ['1', 'HAR', 'MTK', '10000'],
    ['1', 'MTQ', 'LTR', '1000'],
    ['1', 'GLL', 'MLT', '3785.411784'],
    ['90', 'MIN', 'HUR', '1.5'],
    ['3.6', 'GJ', 'KWH', '1000'],
    ['1', 'H87', 'C62', '1'],
  ])('%s %s in %s is %s', (value, from, to, expected) => {
    const quantity = Quantity.parse(value, from);
    expect(quantity.in(to, 9, 'halfUp').toText()).toBe(expected);
  });

  it('is exact there and back, for any two units of one kind', () => {
    for (const from of unitCodes)
      for (const to of unitCodes) {
        if (!convertible(from, to)) continue;
        const [there, back] = [unitFactor(from, to), unitFactor(to, from)];
        expect(there.numerator * back.numerator).toBe(there.denominator * back.denominator);
      }
  });

  it('rounds once, by the rule that was named', () => {
    expect(Quantity.parse('100', 'MIN').in('HUR', 2, 'halfUp').toText()).toBe('1.67');
    expect(Quantity.parse('100', 'MIN').in('HUR', 2, 'down').toText()).toBe('1.66');
    expect(Quantity.parse('13', 'C62').in('DZN', 0, 'up').toText()).toBe('2');
  });

  it.each([
    ['KGM', 'MTR', 'unlike'],
    ['XBX', 'XPX', 'unlike'],
    ['MON', 'DAY', 'unlike'],
    ['KGM', 'kg', 'unknown-unit'],
    ['toString', 'KGM', 'unknown-unit'],
  ])('refuses %s into %s: %s', (from, to, problem) => {
    expect(() => unitFactor(from, to)).toThrow(expect.objectContaining({ problem }));
  });

  it('knows the units trade needs most', () => {
    expect(
      ['C62', 'KGM', 'GRM', 'TNE', 'MTR', 'LTR', 'MTQ', 'MTK', 'HUR', 'DAY', 'KWH'].every(isUnitCode),
    ).toBe(true);
  });
});

describe('a price', () => {
  it.each([
    ['99.90', 'RUB', 'C62', '3', 'C62', '299.70'],
    ['0.0375', 'RUB', 'C62', '1000', 'C62', '37.50'],
    ['120.00', 'RUB', 'KGM', '750', 'GRM', '90.00'],
    ['1250.00', 'RUB', 'HUR', '100', 'MIN', '2083.33'], // 2083.333…, not 1250 × 1.67
    ['0.333333333', 'RUB', 'C62', '3', 'C62', '1.00'],
    ['7', 'JPY', 'KGM', '1.5', 'KGM', '11'],
    ['99.90', 'RUB', 'C62', '-1', 'C62', '-99.90'],
  ])('of %s %s per %s makes %s %s cost %s', (amount, currency, per, value, unit, expected) => {
    const cost = Price.parse(amount, currency, per).times(Quantity.parse(value, unit), 'halfUp');
    expect(cost.toText()).toBe(expected);
  });

  it('is written with the decimals of its currency or more', () => {
    expect(Price.parse('99.9', 'RUB', 'C62').toJSON()).toEqual({
      amount: '99.90',
      currency: 'RUB',
      unit: 'C62',
    });
    expect(Price.parse('0.0375', 'RUB', 'C62').toText()).toBe('0.0375');
    expect(Price.parse('7.0', 'JPY', 'C62').toText()).toBe('7');
    expect(Price.parse('7.0', 'JPY', 'C62').equals(Price.parse('7', 'JPY', 'C62'))).toBe(true);
  });

  it('is of a unit that converts into the quantity’s', () => {
    expect(() => Price.parse('1.00', 'RUB', 'KGM').times(Quantity.parse('1', 'MTR'), 'halfUp')).toThrow(
      MeasureError,
    );
  });
});

function convertible(from: string, to: string): boolean {
  try {
    unitFactor(from, to);
    return true;
  } catch {
    return false;
  }
}
