import { multiplyRatios, type Ratio, ratio } from './decimal.ts';
import { MeasureError } from './failure.ts';

interface Unit {
  /** Units of one dimension convert into each other. */
  readonly dimension: string;
  /** How many of the dimension's base unit one of these is; exact by definition. */
  readonly factor: Ratio;
}

type Row = readonly [code: string, numerator: bigint, denominator?: bigint];

/** UN/ECE Recommendation 20 codes, the first of each row being the base. Factors: the recommendation's annexes. */
const dimensions: Readonly<Record<string, readonly Row[]>> = {
  // One; piece; pair; dozen; hundred; thousand.
  count: [
    ['C62', 1n],
    ['H87', 1n],
    ['PR', 2n],
    ['DZN', 12n],
    ['CEN', 100n],
    ['MIL', 1_000n],
  ],
  // Kilogram; gram; milligram; decitonne (the metric centner); tonne; pound; ounce.
  mass: [
    ['KGM', 1n],
    ['GRM', 1n, 1_000n],
    ['MGM', 1n, 1_000_000n],
    ['DTN', 100n],
    ['TNE', 1_000n],
    ['LBR', 45_359_237n, 100_000_000n],
    ['ONZ', 45_359_237n, 1_600_000_000n],
  ],
  // Metre; millimetre; centimetre; decimetre; kilometre; inch; foot; yard.
  length: [
    ['MTR', 1n],
    ['MMT', 1n, 1_000n],
    ['CMT', 1n, 100n],
    ['DMT', 1n, 10n],
    ['KMT', 1_000n],
    ['INH', 254n, 10_000n],
    ['FOT', 3_048n, 10_000n],
    ['YRD', 9_144n, 10_000n],
  ],
  // Square metre, millimetre, centimetre, decimetre; hectare; square kilometre, foot.
  area: [
    ['MTK', 1n],
    ['MMK', 1n, 1_000_000n],
    ['CMK', 1n, 10_000n],
    ['DMK', 1n, 100n],
    ['HAR', 10_000n],
    ['KMK', 1_000_000n],
    ['FTK', 3_048n ** 2n, 10_000n ** 2n],
  ],
  // Cubic metre; litre; millilitre; decilitre; hectolitre; cubic decimetre, centimetre; US gallon.
  volume: [
    ['MTQ', 1n],
    ['LTR', 1n, 1_000n],
    ['MLT', 1n, 1_000_000n],
    ['DLT', 1n, 10_000n],
    ['HLT', 1n, 10n],
    ['DMQ', 1n, 1_000n],
    ['CMQ', 1n, 1_000_000n],
    ['GLL', 3_785_411_784n, 1_000_000_000_000n],
  ],
  // Hour; second; minute; day; week. A month is no number of hours.
  time: [
    ['HUR', 1n],
    ['SEC', 1n, 3_600n],
    ['MIN', 1n, 60n],
    ['DAY', 24n],
    ['WEE', 168n],
  ],
  // Kilowatt hour; watt hour; megawatt hour; gigajoule.
  energy: [
    ['KWH', 1n],
    ['WHR', 1n, 1_000n],
    ['MWH', 1_000n],
    ['GJ', 2_500n, 9n],
  ],
  // Not convertible into anything else: month; year; set; service unit; percent; package, box, pallet, pack, carton.
  ...Object.fromEntries(
    ['MON', 'ANN', 'SET', 'E48', 'P1', 'XPK', 'XBX', 'XPX', 'XPA', 'XCT'].map((code) => [
      code,
      [[code, 1n] as Row],
    ]),
  ),
};

const units = new Map<string, Unit>(
  Object.entries(dimensions).flatMap(([dimension, rows]) =>
    rows.map(
      ([code, numerator, denominator]) =>
        [code, { dimension, factor: ratio(numerator, denominator) }] as const,
    ),
  ),
);

export const unitCodes: readonly string[] = [...units.keys()].sort();

export function isUnitCode(code: string): boolean {
  return units.has(code);
}

export function mustBeUnit(code: string): void {
  unit(code);
}

/** How many of unit `to` one of unit `from` is, exactly. */
export function unitFactor(from: string, to: string): Ratio {
  const [one, other] = [unit(from), unit(to)];
  if (from === to) return ratio(1n);
  if (one.dimension !== other.dimension) {
    throw new MeasureError('unlike', `${from} cannot be converted into ${to}`);
  }
  return multiplyRatios(one.factor, {
    numerator: other.factor.denominator,
    denominator: other.factor.numerator,
  });
}

function unit(code: string): Unit {
  const found = units.get(code);
  if (found === undefined) {
    throw new MeasureError('unknown-unit', 'must be a UN/ECE recommendation 20 unit code such as KGM or C62');
  }
  return found;
}
