import { noteSigns, readAmount } from './amounts.ts';

/** Reads the last of the amounts of one column. */
function last(...amounts: string[]): string | undefined {
  const signs = { decimal: new Set<string>(), grouping: new Set<string>() };
  for (const each of amounts) noteSigns(each, signs);
  const read = readAmount(amounts.at(-1) ?? '', signs);
  return 'value' in read ? read.value : read.detail;
}

describe('an amount as a spreadsheet writes it', () => {
  it.each([
    ['100,00', '100.00'],
    ['100.00', '100.00'],
    ['100', '100'],
    ['1 234,56', '1234.56'],
    ['1\u00a0234\u00a0567,8', '1234567.8'],
    ['1\u202f234,56', '1234.56'],
    ["1'234.56", '1234.56'],
    ['1’234,56', '1234.56'],
    ['1 234', '1234'],
    ['1.234,56', '1234.56'],
    ['1,234.56', '1234.56'],
    ['1.234.567', '1234567'],
    ['0,125', '0.125'],
    ['1234,567', '1234.567'],
    ['-5,00', '-5.00'],
    ['\u22125,00', '-5.00'],
  ])('%s is %s', (written, value) => {
    expect(last(written)).toBe(value);
  });

  it.each(['1,234', '1.234', '-12,345'])('%s can mean two things and is refused', (written) => {
    expect(last(written)).toMatch(/can mean -?\d+\.\d+ or -?\d+; write it without a thousands separator/);
  });

  it('is read as the others in its column show', () => {
    expect(last('0,5', '1,234')).toBe('1.234');
    expect(last('1.234.567', '1.234')).toBe('1234');
    expect(last('5,50', '1.234')).toContain('can mean');
    expect(last('5,50', '1,234,567', '1,234')).toContain('can mean');
  });

  it.each(['1 23,4', '1,2,3', '12 34', 'ten', '1.234,567.8', '5 €', '1e5', '1.23.456'])(
    '%s is none',
    (written) => {
      expect(last(written)).toContain('is not an amount');
    },
  );
});
