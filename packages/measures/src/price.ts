import { currencyDecimals } from './currencies.ts';
import {
  compareDecimals,
  type Decimal,
  formatDecimal,
  multiplyRatios,
  parseDecimal,
  type Rounding,
  ratioOf,
  roundRatio,
} from './decimal.ts';
import { Money } from './money.ts';
import { asStored, mostDecimals, type Quantity } from './quantity.ts';
import { mustBeUnit, unitFactor } from './units.ts';

/** What one unit costs; finer than the currency's minor unit where the trade needs it, such as 0.0375 RUB a sheet. */
export class Price {
  readonly amount: Decimal;
  readonly currency: string;
  /** The unit it is the price of. */
  readonly unit: string;

  private constructor(amount: Decimal, currency: string, unit: string) {
    this.amount = amount;
    this.currency = currency;
    this.unit = unit;
  }

  static of(amount: Decimal, currency: string, unit: string): Price {
    currencyDecimals(currency); // refuses an unknown one
    mustBeUnit(unit);
    return new Price(asStored(amount), currency, unit);
  }

  /** Reads decimal text exactly: `Price.parse('99.90', 'RUB', 'C62')`. */
  static parse(amount: string, currency: string, unit: string): Price {
    return Price.of(parseDecimal(amount, mostDecimals), currency, unit);
  }

  /** What the quantity costs, in whichever unit of the same kind it is; rounded once, at the end. */
  times(quantity: Quantity, rounding: Rounding): Money {
    const inUnits = multiplyRatios(ratioOf(quantity.value), unitFactor(quantity.unit, this.unit));
    const exact = multiplyRatios(ratioOf(this.amount), inUnits);
    return Money.ofMinor(roundRatio(exact, currencyDecimals(this.currency), rounding), this.currency);
  }

  equals(other: Price): boolean {
    const alike = this.currency === other.currency && this.unit === other.unit;
    return alike && compareDecimals(this.amount, other.amount) === 0;
  }

  /** With at least the currency's decimals: `99.90`, `0.0375`. */
  toText(): string {
    const scale = Math.max(this.amount.scale, currencyDecimals(this.currency));
    return formatDecimal({ digits: this.amount.digits * 10n ** BigInt(scale - this.amount.scale), scale });
  }

  /** As it travels. */
  toJSON(): { amount: string; currency: string; unit: string } {
    return { amount: this.toText(), currency: this.currency, unit: this.unit };
  }
}
