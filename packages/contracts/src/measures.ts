import { isCurrencyCode, isUnitCode, MeasureError, Money, Price, Quantity } from '@marimo/measures';
import { z } from 'zod';

// One schema for both directions. Parsing (a request at the service, a reply at the client) turns wire text into
// Money; for the way back nothing is needed, as Money writes itself: JSON.stringify gives { amount, currency }.
// z.encode works too, and z.toJSONSchema(schema, { io: 'input' }) describes the wire, for requests and replies alike.

const decimalText = (what: string) =>
  z.string({ error: `must be decimal text in quotes, such as ${what}; a JSON number loses digits` }).max(50);

/** An ISO 4217 code we know. */
export const CurrencyCode = z
  .string()
  .refine(isCurrencyCode, { error: 'must be an ISO 4217 currency code such as RUB', abort: true })
  .meta({ description: 'ISO 4217 currency code', example: 'RUB', pattern: '^[A-Z]{3}$' });

/** A UN/ECE recommendation 20 code we know. */
export const UnitCode = z
  .string()
  .refine(isUnitCode, {
    error: 'must be a UN/ECE recommendation 20 unit code such as KGM or C62',
    abort: true,
  })
  .meta({ description: 'UN/ECE recommendation 20 unit code', example: 'C62' });

/** `{ "amount": "12500.00", "currency": "RUB" }` on the wire, Money in code. */
export const MoneyOnWire = z.codec(
  z
    .strictObject({ amount: decimalText('"12500.00"'), currency: CurrencyCode })
    .meta({ description: 'Money as decimal text', example: { amount: '12500.00', currency: 'RUB' } }),
  z.custom<Money>((value) => value instanceof Money),
  {
    decode: ({ amount, currency }, context) =>
      measure(context, 'amount', () => Money.parse(amount, currency)),
    encode: (money) => money.toJSON(),
  },
);

/** Money above zero. */
export const PositiveMoney = MoneyOnWire.refine((money) => money.isPositive(), {
  error: 'must be above zero',
  path: ['amount'],
});

/** `{ "value": "3.5", "unit": "KGM" }` on the wire, Quantity in code. */
export const QuantityOnWire = z.codec(
  z
    .strictObject({ value: decimalText('"3.5"'), unit: UnitCode })
    .meta({ description: 'A quantity as decimal text', example: { value: '3.5', unit: 'KGM' } }),
  z.custom<Quantity>((value) => value instanceof Quantity),
  {
    decode: ({ value, unit }, context) => measure(context, 'value', () => Quantity.parse(value, unit)),
    encode: (quantity) => quantity.toJSON(),
  },
);

/** `{ "amount": "99.90", "currency": "RUB", "unit": "C62" }` on the wire, Price in code. */
export const PriceOnWire = z.codec(
  z.strictObject({ amount: decimalText('"99.90"'), currency: CurrencyCode, unit: UnitCode }).meta({
    description: 'The price of one unit',
    example: { amount: '99.90', currency: 'RUB', unit: 'C62' },
  }),
  z.custom<Price>((value) => value instanceof Price),
  {
    decode: ({ amount, currency, unit }, context) =>
      measure(context, 'amount', () => Price.parse(amount, currency, unit)),
    encode: (price) => price.toJSON(),
  },
);

/** A day of the books: no time and no zone, a real day from 1900 to 2200. Days compare as text. */
export const Day = z.iso
  .date({ error: 'must be an existing date written YYYY-MM-DD', abort: true })
  .refine((day) => day >= '1900-01-01' && day <= '2200-12-31', { error: 'must lie between 1900 and 2200' });

/**
 * A moment: RFC 3339 on the wire, with any offset on the way in and in UTC on the way out; Date in code. Like Money it
 * writes itself in a reply.
 */
export const Instant = z
  .codec(
    z.iso.datetime({ offset: true, error: 'must be a date and time such as 2026-01-31T09:30:00Z' }),
    z.date(),
    {
      decode: (text) => new Date(text),
      encode: (moment) => moment.toISOString(),
    },
  )
  .meta({ description: 'A moment, RFC 3339', example: '2026-01-31T09:30:00.000Z' });

/** What `JSON.stringify` would write, for places that build the wire form by hand. */
export function moneyToWire(money: Money): z.input<typeof MoneyOnWire> {
  return money.toJSON();
}

/** Says what is wrong with a number at the field that holds it. */
function measure<T>(context: z.core.ParsePayload, field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, path: [field], input: context.value });
    return z.NEVER;
  }
}
