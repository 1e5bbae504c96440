import * as fc from 'fast-check';
import { currencyCodes, currencyDecimals } from './currencies.ts';
import { type Rounding, ratio, roundRatio } from './decimal.ts';
import { MeasureError } from './failure.ts';
import { Money, mostMinor } from './money.ts';

const currency = fc.constantFrom(...currencyCodes);
const minor = fc.bigInt({ min: -mostMinor, max: mostMinor });
const smallMinor = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
const roundings: readonly Rounding[] = ['halfUp', 'halfEven', 'up', 'down'];

/** The problem a refusal names, or undefined if it was not refused. */
function problemOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof MeasureError ? error.problem : String(error);
  }
  return undefined;
}

describe('reading an amount', () => {
  it.each([
    ['12500.00', 'RUB', 1_250_000n],
    ['12500.5', 'RUB', 1_250_050n],
    ['12500', 'RUB', 1_250_000n],
    ['-0.01', 'RUB', -1n],
    ['0', 'RUB', 0n],
    ['500', 'JPY', 500n],
    ['0.125', 'KWD', 125n],
    ['1.0001', 'CLF', 10_001n],
    ['92233720368547758.07', 'RUB', mostMinor],
    ['-92233720368547758.07', 'RUB', -mostMinor],
  ])('takes %s %s as %s minor units', (text, code, expected) => {
    expect(Money.parse(text, code).minor).toBe(expected);
  });

  it.each<readonly [string, string, string]>([
    ['1.001', 'RUB', 'too-precise'],
    ['1.000', 'RUB', 'too-precise'],
    ['1.5', 'JPY', 'too-precise'],
    ['1.2345', 'KWD', 'too-precise'],
    ['92233720368547758.08', 'RUB', 'out-of-range'],
    ['-92233720368547758.08', 'RUB', 'out-of-range'],
    ['9223372036854775808', 'JPY', 'out-of-range'],
    ['1.00', 'XXX', 'unknown-currency'],
    ['1.00', '__proto__', 'unknown-currency'],
    ...[
      '',
      ' ',
      '1,00',
      '1e3',
      '1E3',
      'NaN',
      'Infinity',
      '+1',
      '--1',
      '-',
      '.5',
      '5.',
      '01',
      '00',
      '-0',
      '-0.00',
    ].map((text) => [text, 'RUB', 'malformed'] as const),
    ...[' 1', '1 ', '1\n', '0x10', '1_000', '1 000', '١', '1.0.0', '1n', '9'.repeat(51)].map(
      (text) => [text, 'RUB', 'malformed'] as const,
    ),
  ])('refuses %j %s: %s', (text, code, problem) => {
    expect(problemOf(() => Money.parse(text, code))).toBe(problem);
  });

  it('gives back any amount that was written, in any currency', () => {
    fc.assert(
      fc.property(minor, currency, (amount, code) => {
        const money = Money.ofMinor(amount, code);
        expect(Money.parse(money.toText(), code)).toEqual(money);
        expect(money.toText()).toMatch(
          currencyDecimals(code) === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${currencyDecimals(code)}}$`),
        );
      }),
    );
  });

  it('either refuses a text or means the same number by it', () => {
    const pieces = fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', ' ', ',', '00', 'x');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        const problem = problemOf(() => Money.parse(text, 'RUB'));
        if (problem === undefined) expect(Number(Money.parse(text, 'RUB').toText())).toBe(Number(text));
        else expect(['malformed', 'too-precise', 'out-of-range']).toContain(problem);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('reckoning with money', () => {
  it('adds and takes away exactly, and what was added can be taken away', () => {
    fc.assert(
      fc.property(smallMinor, smallMinor, currency, (a, b, code) => {
        const [one, other] = [Money.ofMinor(a, code), Money.ofMinor(b, code)];
        expect(one.plus(other).minor).toBe(a + b);
        expect(one.plus(other).minus(other)).toEqual(one);
        expect(one.minus(other)).toEqual(other.minus(one).negated());
        expect(Money.sum([one, other, one], code).minor).toBe(a + b + a);
        expect(one.compare(other)).toBe(-other.compare(one) + 0);
        expect(one.equals(other)).toBe(a === b);
      }),
    );
  });

  it('never mixes currencies', () => {
    const [rub, usd] = [Money.parse('1.00', 'RUB'), Money.parse('1.00', 'USD')];
    for (const work of [
      () => rub.plus(usd),
      () => rub.minus(usd),
      () => rub.compare(usd),
      () => Money.sum([rub, usd], 'RUB'),
    ])
      expect(problemOf(work)).toBe('unlike');
    expect(rub.equals(usd)).toBe(false);
  });

  it('refuses a result that the database could not hold', () => {
    const most = Money.ofMinor(mostMinor, 'RUB');
    const kopeck = Money.ofMinor(1n, 'RUB');
    expect(problemOf(() => most.plus(kopeck))).toBe('out-of-range');
    expect(problemOf(() => most.negated().minus(kopeck))).toBe('out-of-range');
    expect(problemOf(() => most.times(ratio('1.1'), 'halfUp'))).toBe('out-of-range');
    expect(most.minus(most).isZero()).toBe(true);
  });
});

describe('rounding', () => {
  // Each column is one rule; the rows are the ties and their neighbours, both signs.
  it.each([
    ['0.5', 1n, 0n, 1n, 0n],
    ['1.5', 2n, 2n, 2n, 1n],
    ['2.5', 3n, 2n, 3n, 2n],
    ['2.4999', 2n, 2n, 3n, 2n],
    ['2.5001', 3n, 3n, 3n, 2n],
    ['2', 2n, 2n, 2n, 2n],
    ['-0.5', -1n, 0n, -1n, 0n],
    ['-2.5', -3n, -2n, -3n, -2n],
    ['-3.5', -4n, -4n, -4n, -3n],
    ['-0.0001', 0n, 0n, -1n, 0n],
  ])('%s goes half up to %s, half even to %s, up to %s, down to %s', (text, halfUp, halfEven, up, down) => {
    const expected: Record<Rounding, bigint> = { halfUp, halfEven, up, down };
    for (const rule of roundings) expect(roundRatio(ratio(text), 0, rule)).toBe(expected[rule]);
  });

  it('is never further than it must be, and treats both signs alike', () => {
    fc.assert(
      fc.property(smallMinor, fc.bigInt({ min: 1n, max: 10n ** 9n }), (numerator, denominator) => {
        for (const rule of roundings) {
          const rounded = roundRatio({ numerator, denominator }, 0, rule);
          const off = rounded * denominator - numerator;
          const size = off < 0n ? -off : off;
          expect(rule.startsWith('half') ? size * 2n <= denominator : size < denominator).toBe(true);
          expect(roundRatio({ numerator: -numerator, denominator }, 0, rule)).toBe(-rounded);
        }
      }),
    );
  });

  it.each([
    // 20 % VAT on 99.99; and taken out of 120.00: 120.00 × 20/120.
    ['99.99', ratio('0.2'), '20.00'],
    ['120.00', ratio(20n, 120n), '20.00'],
    ['100.00', ratio(20n, 120n), '16.67'],
    ['-100.00', ratio(20n, 120n), '-16.67'],
    ['0.05', ratio('0.1'), '0.01'],
  ])('%s times a factor is rounded once, half up', (amount, factor, expected) => {
    expect(Money.parse(amount, 'RUB').times(factor, 'halfUp').toText()).toBe(expected);
  });

  it('of an exchange knows the decimals of both currencies', () => {
    expect(Money.parse('100.00', 'USD').converted('JPY', ratio('151.255'), 'halfUp').toText()).toBe('15126');
    expect(Money.parse('15126', 'JPY').converted('KWD', ratio('0.00204'), 'halfUp').toText()).toBe('30.857');
    expect(Money.parse('0.01', 'USD').converted('RUB', ratio('92.5058'), 'halfUp').toText()).toBe('0.93');
  });
});

describe('sharing an amount out', () => {
  it.each([
    ['100.00', [1n, 1n, 1n], ['33.34', '33.33', '33.33']],
    ['0.05', [1n, 1n], ['0.03', '0.02']],
    ['-0.05', [1n, 1n], ['-0.03', '-0.02']],
    ['10.00', [3n, 7n], ['3.00', '7.00']],
    ['0.01', [0n, 1n, 0n], ['0.00', '0.01', '0.00']],
    ['0.02', [1n, 2n, 3n], ['0.00', '0.01', '0.01']], // 1/3, 2/3, 1: the second was cut most
  ])('%s by %j', (amount, weights, parts) => {
    expect(
      Money.parse(amount, 'RUB')
        .allocate(weights)
        .map((part) => part.toText()),
    ).toEqual(parts);
  });

  it('loses and invents nothing, and is fair to a minor unit', () => {
    const weights = fc
      .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 40 })
      .filter((all) => all.some((weight) => weight > 0n));
    fc.assert(
      fc.property(minor, weights, (amount, shares) => {
        const total = shares.reduce((sum, weight) => sum + weight, 0n);
        const parts = Money.ofMinor(amount, 'RUB').allocate(shares);
        expect(parts.reduce((sum, part) => sum + part.minor, 0n)).toBe(amount);
        for (const [index, part] of parts.entries()) {
          const off = part.minor * total - amount * (shares[index] ?? 0n);
          expect(off < total && off > -total).toBe(true);
        }
      }),
    );
  });

  it.each([[[]], [[0n, 0n]], [[-1n, 2n]]])('is refused by weights %j', (weights) => {
    expect(problemOf(() => Money.parse('1.00', 'RUB').allocate(weights))).toBe('not-shareable');
  });
});

describe('the table of currencies', () => {
  it('has each code once and the decimals of ISO 4217', () => {
    expect(new Set(currencyCodes).size).toBe(currencyCodes.length);
    expect(currencyCodes.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
    expect(['RUB', 'USD', 'EUR', 'JPY', 'KWD', 'CLF'].map(currencyDecimals)).toEqual([2, 2, 2, 0, 3, 4]);
  });

  it('agrees with the one Node carries wherever that one knows better than two decimals', () => {
    // CLDR shows some currencies with fewer decimals than the standard gives them, never with more.
    for (const code of currencyCodes) {
      const shown = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions();
      expect([code, currencyDecimals(code) >= (shown.maximumFractionDigits ?? 0)]).toEqual([code, true]);
    }
  });
});
