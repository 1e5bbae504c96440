import { currencyDecimals } from './currencies.ts';
import {
  compareBigints,
  formatDecimal,
  parseDecimal,
  type Ratio,
  type Rounding,
  roundRatio,
  tenTo,
  widened,
} from './decimal.ts';
import { MeasureError } from './failure.ts';

/** The most minor units an amount may have in either direction: what PostgreSQL's bigint holds. */
export const mostMinor = 2n ** 63n - 1n;

/**
 * An amount of one currency, exact, as a whole number of its minor units.
 *
 * Units:  `minor` is kopecks for RUB, yen for JPY, fils for KWD.
 * Errors: MeasureError `unlike` when two currencies meet, `out-of-range` past what the database holds.
 */
export class Money {
  readonly minor: bigint;
  readonly currency: string;

  private constructor(minor: bigint, currency: string) {
    this.minor = minor;
    this.currency = currency;
  }

  /** `minor` in minor units of an ISO 4217 currency. */
  static ofMinor(minor: bigint, currency: string): Money {
    currencyDecimals(currency); // refuses an unknown one
    return inRange(minor, () => new Money(minor, currency));
  }

  static zero(currency: string): Money {
    return Money.ofMinor(0n, currency);
  }

  /** Reads decimal text exactly: `Money.parse('12500.00', 'RUB')`. */
  static parse(amount: string, currency: string): Money {
    const decimals = currencyDecimals(currency);
    return Money.ofMinor(widened(parseDecimal(amount, decimals), decimals), currency);
  }

  /** The sum of any number of amounts of this currency. */
  static sum(amounts: Iterable<Money>, currency: string): Money {
    let total = 0n;
    for (const amount of amounts) {
      mustBeAlike(amount.currency, currency);
      total += amount.minor;
    }
    return Money.ofMinor(total, currency);
  }

  plus(other: Money): Money {
    mustBeAlike(this.currency, other.currency);
    return this.#withMinor(this.minor + other.minor);
  }

  minus(other: Money): Money {
    mustBeAlike(this.currency, other.currency);
    return this.#withMinor(this.minor - other.minor);
  }

  negated(): Money {
    return this.#withMinor(-this.minor);
  }

  /** Times an exact factor such as `ratio('0.2')`, rounded once. */
  times(factor: Ratio, rounding: Rounding): Money {
    const product = { numerator: this.minor * factor.numerator, denominator: factor.denominator };
    return this.#withMinor(roundRatio(product, 0, rounding));
  }

  /** In another currency, `rate` being units of it for one unit of this one. */
  converted(currency: string, rate: Ratio, rounding: Rounding): Money {
    const value = {
      numerator: this.minor * rate.numerator,
      denominator: tenTo(currencyDecimals(this.currency)) * rate.denominator,
    };
    return Money.ofMinor(roundRatio(value, currencyDecimals(currency), rounding), currency);
  }

  /**
   * Shares the amount out by whole weights. The parts add up to it exactly, and each is within one minor unit of its
   * exact share; what is left over goes to those cut most, the earlier first.
   */
  allocate(weights: readonly bigint[]): Money[] {
    const total = weights.reduce((sum, weight) => sum + weight, 0n);
    if (total <= 0n || weights.some((weight) => weight < 0n)) {
      throw new MeasureError('not-shareable', 'needs weights of zero or more, at least one above zero');
    }
    const size = this.minor < 0n ? -this.minor : this.minor;
    const shares = weights.map((weight) => (size * weight) / total);
    const cuts = weights.map((weight, index) => ({ index, cut: (size * weight) % total }));
    cuts.sort((a, b) => compareBigints(b.cut, a.cut) || a.index - b.index);
    const left = size - shares.reduce((sum, share) => sum + share, 0n);
    const luckier = new Set(cuts.slice(0, Number(left)).map(({ index }) => index));
    return shares.map((share, index) => {
      const part = luckier.has(index) ? share + 1n : share;
      return this.#withMinor(this.minor < 0n ? -part : part);
    });
  }

  compare(other: Money): -1 | 0 | 1 {
    mustBeAlike(this.currency, other.currency);
    return compareBigints(this.minor, other.minor);
  }

  equals(other: Money): boolean {
    return this.currency === other.currency && this.minor === other.minor;
  }

  isZero(): boolean {
    return this.minor === 0n;
  }

  isNegative(): boolean {
    return this.minor < 0n;
  }

  isPositive(): boolean {
    return this.minor > 0n;
  }

  /** The amount alone, with all decimals of its currency: `12500.00`. */
  toText(): string {
    return formatDecimal({ digits: this.minor, scale: currencyDecimals(this.currency) });
  }

  /** As it travels, so `JSON.stringify` writes money right wherever it stands. */
  toJSON(): { amount: string; currency: string } {
    return { amount: this.toText(), currency: this.currency };
  }

  #withMinor(minor: bigint): Money {
    return inRange(minor, () => new Money(minor, this.currency));
  }
}

function inRange(minor: bigint, make: () => Money): Money {
  if (minor > mostMinor || minor < -mostMinor) {
    throw new MeasureError('out-of-range', 'is larger than an amount may be');
  }
  return make();
}

function mustBeAlike(one: string, other: string): void {
  if (one !== other) throw new MeasureError('unlike', `${one} and ${other} cannot be combined`);
}
