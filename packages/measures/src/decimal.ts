import { MeasureError } from './failure.ts';

/** An exact decimal number: `digits` divided by ten to the power `scale`. `12.50` is { digits: 1250n, scale: 2 }. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** An exact fraction, such as a tax rate of 20/120 or the kilograms in a pound. The denominator is above zero. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * Where a number between two steps goes; signs are treated alike, so a credit note mirrors its invoice.
 * `halfUp`: to the nearer, a tie away from zero. `halfEven`: to the nearer, a tie to the even one.
 * `up`: away from zero. `down`: towards zero.
 */
export type Rounding = 'halfUp' | 'halfEven' | 'up' | 'down';

/** Longer than any number we accept, so that a hostile text costs nothing. */
const longestText = 50;
const decimalText = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/;

/**
 * Reads decimal text exactly. No exponent, plus sign, leading or trailing point, leading zeros, spaces or minus zero:
 * each number has few spellings, so that two systems cannot read one text differently.
 *
 * Errors: MeasureError `malformed`, or `too-precise` past `maxScale` decimals (zeros count).
 */
export function parseDecimal(text: string, maxScale: number): Decimal {
  const match = text.length <= longestText ? decimalText.exec(text) : null;
  if (match === null) {
    throw new MeasureError(
      'malformed',
      'must be decimal text such as "1250.50": digits, at most one point, no exponent',
    );
  }
  const [, sign = '', whole = '', fraction = ''] = match;
  if (fraction.length > maxScale) {
    throw new MeasureError('too-precise', `may have at most ${maxScale} decimals, not ${fraction.length}`);
  }
  const digits = BigInt(whole + fraction);
  if (sign === '-' && digits === 0n) throw new MeasureError('malformed', 'must not be minus zero');
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

/** All `scale` decimals are written: `12.50`, not `12.5`. */
export function formatDecimal({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + text;
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** The fewest decimals that still say the same: `12.50` becomes 12.5. */
export function shortest({ digits, scale }: Decimal): Decimal {
  let [rest, decimals] = [digits, scale];
  while (decimals > 0 && rest % 10n === 0n) {
    rest /= 10n;
    decimals -= 1;
  }
  return { digits: rest, scale: decimals };
}

/** With more decimals, exactly. */
export function widened({ digits, scale }: Decimal, to: number): bigint {
  return digits * tenTo(to - scale);
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: widened(a, scale) + widened(b, scale), scale };
}

export function compareDecimals(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const scale = Math.max(a.scale, b.scale);
  return compareBigints(widened(a, scale), widened(b, scale));
}

export function compareBigints(a: bigint, b: bigint): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A factor from decimal text (`ratio('0.2')`) or from two whole numbers (`ratio(20n, 120n)`). */
export function ratio(value: string | bigint, denominator = 1n): Ratio {
  if (denominator <= 0n) throw new MeasureError('malformed', 'a ratio has a denominator above zero');
  if (typeof value === 'bigint') return { numerator: value, denominator };
  const { digits, scale } = parseDecimal(value, longestText);
  return { numerator: digits, denominator: tenTo(scale) * denominator };
}

export function ratioOf({ digits, scale }: Decimal): Ratio {
  return { numerator: digits, denominator: tenTo(scale) };
}

export function multiplyRatios(a: Ratio, b: Ratio): Ratio {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** The ratio in steps of 1/10^scale: the one place where a number is rounded. */
export function roundRatio({ numerator, denominator }: Ratio, scale: number, rounding: Rounding): bigint {
  const scaled = numerator * tenTo(scale);
  const towardsZero = scaled / denominator;
  const rest = scaled % denominator;
  if (rest === 0n) return towardsZero;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const away = goesAway(rounding, compareBigints(twice, denominator), towardsZero % 2n !== 0n);
  return away ? towardsZero + (scaled < 0n ? -1n : 1n) : towardsZero;
}

function goesAway(rounding: Rounding, againstHalf: -1 | 0 | 1, odd: boolean): boolean {
  switch (rounding) {
    case 'up':
      return true;
    case 'down':
      return false;
    case 'halfUp':
      return againstHalf >= 0;
    case 'halfEven':
      return againstHalf > 0 || (againstHalf === 0 && odd);
  }
}

export function tenTo(power: number): bigint {
  return 10n ** BigInt(power);
}
