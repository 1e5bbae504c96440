import {
  addDecimals,
  compareDecimals,
  type Decimal,
  formatDecimal,
  multiplyRatios,
  parseDecimal,
  type Rounding,
  ratioOf,
  roundRatio,
  shortest,
  tenTo,
} from './decimal.ts';
import { MeasureError } from './failure.ts';
import { mustBeUnit, unitFactor } from './units.ts';

/** What `numeric(27, 9)` holds: 18 digits before the point, 9 after it. */
export const mostDecimals = 9;
const mostDigits = tenTo(27);

/**
 * How much of something, exact, in a UN/ECE recommendation 20 unit.
 *
 * Errors: MeasureError `unlike` when units do not convert, `out-of-range` past 18 digits before the point.
 */
export class Quantity {
  /** As short as it goes: 3.50 is kept as 3.5, so that equal quantities look alike. */
  readonly value: Decimal;
  readonly unit: string;

  private constructor(value: Decimal, unit: string) {
    this.value = value;
    this.unit = unit;
  }

  static of(value: Decimal, unit: string): Quantity {
    mustBeUnit(unit);
    return new Quantity(asStored(value), unit);
  }

  /** Reads decimal text exactly: `Quantity.parse('3.5', 'KGM')`. */
  static parse(value: string, unit: string): Quantity {
    return Quantity.of(parseDecimal(value, mostDecimals), unit);
  }

  /** Only of the same unit; convert first, where the rounding can be named. */
  plus(other: Quantity): Quantity {
    this.#mustBeAlike(other);
    return Quantity.of(addDecimals(this.value, other.value), this.unit);
  }

  minus(other: Quantity): Quantity {
    return this.plus(other.negated());
  }

  negated(): Quantity {
    return Quantity.of({ ...this.value, digits: -this.value.digits }, this.unit);
  }

  /** The same quantity in another unit, rounded once to `decimals`. */
  in(unit: string, decimals: number, rounding: Rounding): Quantity {
    const exact = multiplyRatios(ratioOf(this.value), unitFactor(this.unit, unit));
    return Quantity.of({ digits: roundRatio(exact, decimals, rounding), scale: decimals }, unit);
  }

  compare(other: Quantity): -1 | 0 | 1 {
    this.#mustBeAlike(other);
    return compareDecimals(this.value, other.value);
  }

  equals(other: Quantity): boolean {
    return this.unit === other.unit && compareDecimals(this.value, other.value) === 0;
  }

  isZero(): boolean {
    return this.value.digits === 0n;
  }

  isNegative(): boolean {
    return this.value.digits < 0n;
  }

  isPositive(): boolean {
    return this.value.digits > 0n;
  }

  toText(): string {
    return formatDecimal(this.value);
  }

  /** As it travels. */
  toJSON(): { value: string; unit: string } {
    return { value: this.toText(), unit: this.unit };
  }

  #mustBeAlike(other: Quantity): void {
    if (this.unit !== other.unit) {
      throw new MeasureError('unlike', `${this.unit} and ${other.unit} cannot be combined; convert first`);
    }
  }
}

export function asStored(value: Decimal): Decimal {
  const short = shortest(value);
  if (short.scale > mostDecimals) {
    throw new MeasureError('too-precise', `may have at most ${mostDecimals} decimals`);
  }
  const digits = short.digits * tenTo(mostDecimals - short.scale);
  if (digits >= mostDigits || digits <= -mostDigits) {
    throw new MeasureError('out-of-range', 'may have at most 18 digits before the point');
  }
  return short;
}
