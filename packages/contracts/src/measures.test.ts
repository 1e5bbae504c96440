import { Money } from '@marimo/measures';
import { z } from 'zod';
import { Day, MoneyOnWire, moneyToWire, PositiveMoney, PriceOnWire, QuantityOnWire } from './measures.ts';

/** Pointer and message of each complaint. */
function complaints(schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('/')}: ${message}`);
}

describe('money on the wire', () => {
  it('is read into Money and written back as the same text, by JSON and by zod', () => {
    const wire = { amount: '12500.00', currency: 'RUB' };
    const money = MoneyOnWire.parse(wire);
    expect(money).toEqual(Money.parse('12500.00', 'RUB'));
    expect(JSON.parse(JSON.stringify({ money }))).toEqual({ money: wire });
    expect(z.encode(MoneyOnWire, money)).toEqual(wire);
    expect(moneyToWire(money)).toEqual(wire);
  });

  it('is written with all decimals of its currency, whatever was sent', () => {
    expect(moneyToWire(MoneyOnWire.parse({ amount: '7', currency: 'RUB' })).amount).toBe('7.00');
    expect(moneyToWire(MoneyOnWire.parse({ amount: '7', currency: 'JPY' })).amount).toBe('7');
  });

  it.each([
    [
      { amount: 12500, currency: 'RUB' },
      /^amount: must be decimal text in quotes.*a JSON number loses digits$/,
    ],
    [{ amount: null, currency: 'RUB' }, /^amount: must be decimal text/],
    [{ amount: 'NaN', currency: 'RUB' }, /^amount: must be decimal text/],
    [{ amount: '1e400', currency: 'RUB' }, /^amount: must be decimal text/],
    [{ amount: '-0', currency: 'RUB' }, /^amount: must not be minus zero/],
    [{ amount: '1.001', currency: 'RUB' }, /^amount: may have at most 2 decimals, not 3$/],
    [{ amount: '1.0', currency: 'JPY' }, /^amount: may have at most 0 decimals, not 1$/],
    [{ amount: '92233720368547758.08', currency: 'RUB' }, /^amount: is larger than an amount may be$/],
    [{ amount: '1'.repeat(51), currency: 'RUB' }, /^amount: /],
    [{ amount: '1.00', currency: 'rub' }, /^currency: must be an ISO 4217/],
    [{ amount: '1.00', currency: 'XXX' }, /^currency: must be an ISO 4217/],
    [{ amount: '1.00', currency: 'toString' }, /^currency: must be an ISO 4217/],
    [{ amount: '1.00' }, /^currency: /],
    [{ amount: '1.00', currency: 'RUB', note: 'x' }, /^: Unrecognized key/],
    ['1.00 RUB', /^: /],
  ])('refuses %j and says at which field', (value, complaint) => {
    expect(complaints(MoneyOnWire, value)).toEqual([expect.stringMatching(complaint)]);
  });

  it('must be above zero where the field says so', () => {
    expect(complaints(PositiveMoney, { amount: '0.01', currency: 'RUB' })).toEqual([]);
    for (const amount of ['0.00', '-0.01'])
      expect(complaints(PositiveMoney, { amount, currency: 'RUB' })).toEqual(['amount: must be above zero']);
  });

  it('is described to clients as the text that travels', () => {
    const described = z.toJSONSchema(z.strictObject({ total: PositiveMoney }), { io: 'input' });
    expect(described).toMatchObject({
      properties: {
        total: {
          type: 'object',
          properties: { amount: { type: 'string' }, currency: { type: 'string', pattern: '^[A-Z]{3}$' } },
          required: ['amount', 'currency'],
          additionalProperties: false,
        },
      },
    });
  });
});

describe('quantities and prices on the wire', () => {
  it('are read and written exactly', () => {
    const quantity = { value: '3.5', unit: 'KGM' };
    const price = { amount: '0.0375', currency: 'RUB', unit: 'C62' };
    expect(z.encode(QuantityOnWire, QuantityOnWire.parse(quantity))).toEqual(quantity);
    expect(z.encode(PriceOnWire, PriceOnWire.parse(price))).toEqual(price);
  });

  it('are refused as JSON numbers, in unknown units and with too many decimals', () => {
    expect(complaints(QuantityOnWire, { value: 3.5, unit: 'KGM' })).toEqual([
      expect.stringMatching(/^value: must be/),
    ]);
    expect(complaints(QuantityOnWire, { value: '3.5', unit: 'kg' })).toEqual([
      expect.stringMatching(/^unit: must be/),
    ]);
    expect(complaints(QuantityOnWire, { value: '0.0000000001', unit: 'KGM' })).toEqual([
      'value: may have at most 9 decimals, not 10',
    ]);
  });

  it('are described to clients as the text that travels', () => {
    for (const schema of [QuantityOnWire, PriceOnWire])
      expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({
        type: 'object',
        additionalProperties: false,
      });
  });
});

describe('a day of the books', () => {
  it.each(['2026-02-28', '2024-02-29', '1900-01-01', '2200-12-31'])('may be %s', (day) => {
    expect(Day.parse(day)).toBe(day);
  });
  it.each([
    '2026-02-29',
    '1900-02-29',
    '2026-13-01',
    '1899-12-31',
    '2201-01-01',
    '2026-1-1',
    '2026-01-01T00:00:00Z',
    '',
  ])('cannot be %j', (day) => {
    expect(complaints(Day, day)).not.toEqual([]);
  });
  it('is told only how it must be written when it is written otherwise', () => {
    expect(complaints(Day, '31.03.2026')).toEqual([': must be an existing date written YYYY-MM-DD']);
  });
});
