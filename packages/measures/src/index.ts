export { currencyCodes, currencyDecimals, isCurrencyCode } from './currencies.ts';
export {
  addDecimals,
  compareDecimals,
  type Decimal,
  formatDecimal,
  multiplyRatios,
  parseDecimal,
  type Ratio,
  type Rounding,
  ratio,
  ratioOf,
  roundRatio,
} from './decimal.ts';
export { MeasureError, type MeasureProblem } from './failure.ts';
export { Money, mostMinor } from './money.ts';
export { Price } from './price.ts';
export { Quantity } from './quantity.ts';
export { isUnitCode, unitCodes, unitFactor } from './units.ts';
