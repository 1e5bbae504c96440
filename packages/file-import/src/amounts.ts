/** What the amounts of a column show about its signs; only amounts that can be read in one way count. */
export interface AmountSigns {
  readonly decimal: Set<string>;
  readonly grouping: Set<string>;
}

interface Reading {
  readonly value: string;
  readonly decimal?: string;
  readonly grouping?: string;
}

const noOtherSigns = /^\d+$/;
const oneSign = /^(\d+)([.,])(\d+)$/;
const manyGroups = /^\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+$/;
const bothSigns = /^(\d{1,3}([.,])\d{3}(?:\2\d{3})*)([.,])(\d+)$/;
const groupedByBlanks = /^\d{1,3}(?:[ \u00a0\u2009\u202f'’]\d{3})+(?=[.,]|$)/;

/** Everything that an amount can mean as the spreadsheets of some country write it; empty when it is none. */
function readingsOf(text: string): Reading[] {
  const [, sign = '', written = ''] = /^([-+\u2212]?)(.*)$/s.exec(text) ?? [];
  const minus = sign === '' || sign === '+' ? '' : '-';
  const grouped = groupedByBlanks.exec(written)?.[0] ?? '';
  const digits = grouped.replace(/\D/g, '') + written.slice(grouped.length);

  if (noOtherSigns.test(digits)) return [{ value: minus + digits }];
  const [, whole = '', decimal = '', fraction = ''] = oneSign.exec(digits) ?? [];
  if (decimal !== '') {
    const asDecimal = { value: `${minus}${whole}.${fraction}`, decimal };
    const mayBeGroup = grouped === '' && /^[1-9]\d{0,2}$/.test(whole) && fraction.length === 3;
    return mayBeGroup ? [asDecimal, { value: minus + whole + fraction, grouping: decimal }] : [asDecimal];
  }
  const [groups, grouping] = manyGroups.exec(digits) ?? [];
  if (groups !== undefined && grouping !== undefined && grouped === '') {
    return [{ value: minus + groups.replace(/\D/g, ''), grouping }];
  }
  const [, before = '', inner = '', last = '', after = ''] = bothSigns.exec(digits) ?? [];
  if (last === '' || inner === last || grouped !== '') return [];
  return [{ value: `${minus}${before.replace(/\D/g, '')}.${after}`, decimal: last, grouping: inner }];
}

/** Notes what an amount shows about the signs of its column. */
export function noteSigns(text: string, signs: AmountSigns): void {
  const [reading, other] = readingsOf(text);
  if (reading === undefined || other !== undefined) return;
  if (reading.decimal !== undefined) signs.decimal.add(reading.decimal);
  if (reading.grouping !== undefined) signs.grouping.add(reading.grouping);
}

/** The amount as plain decimal text, or why it cannot be read. One of two meanings is never guessed. */
export function readAmount(
  text: string,
  { decimal, grouping }: AmountSigns,
): { value: string } | { detail: string } {
  const readings = readingsOf(text);
  const shown = readings.filter((reading) =>
    reading.decimal !== undefined
      ? decimal.has(reading.decimal) && !grouping.has(reading.decimal)
      : reading.grouping !== undefined && grouping.has(reading.grouping) && !decimal.has(reading.grouping),
  );
  const [reading] = readings.length === 1 ? readings : shown;
  if (reading !== undefined) return { value: reading.value };
  if (readings.length === 0) return { detail: `${JSON.stringify(text)} is not an amount such as 1 234,56` };
  const meanings = readings.map(({ value }) => value).join(' or ');
  return { detail: `${JSON.stringify(text)} can mean ${meanings}; write it without a thousands separator` };
}
