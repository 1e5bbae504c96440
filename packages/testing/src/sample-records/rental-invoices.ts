import {
  choice,
  type DocumentValue,
  day,
  declareDocument,
  derived,
  documentEndpointsOf,
  eventsOf,
  lines,
  money,
  percent,
  printEndpointsOf,
  quantity,
  reference,
  text,
} from '@marimo/contracts/records';
import { Money, multiplyRatios, ratio } from '@marimo/measures';
import labels from './rental-invoices.labels.json' with { type: 'json' };

/** A document with everything on it. */
export const record = declareDocument({
  service: 'config',
  name: 'rentalInvoice',
  plural: 'rental-invoices',
  labels,
  series: {
    name: 'rental-invoice',
    text: { en: 'Rental invoices', ru: 'Счета за аренду' },
    pattern: 'INV-{year}-{000000}',
    gaps: 'none',
  },
  date: 'invoiceDate',
  fields: {
    invoiceDate: day({ required: true }),
    customerName: text(200, { required: true }),
    shelfId: reference('config.shelf'),
    currency: choice(['RUB', 'EUR'], { default: 'RUB' }),
    lines: lines({
      toolId: reference('config.tool'),
      name: text(200, { required: true }),
      time: quantity({ required: true }),
      price: money({ required: true }),
      taxPercent: percent({ default: '20' }),
      net: derived(money({ required: true })),
      tax: derived(money({ required: true })),
    }),
  },
  totals: {
    net: money({ required: true }),
    tax: money({ required: true }),
    gross: money({ required: true }),
  },
  searched: ['number', 'customerName'],
  filtered: ['number', 'invoiceDate', 'customerName', 'gross'],
  sorts: ['-invoiceDate,number', 'gross'],
  summed: ['gross'],
  customFields: true,
});
export const { print, printMany } = printEndpointsOf(record, ['invoice']);
export type RentalInvoice = DocumentValue<typeof record>;

export const { list, get, create, change, bulk, history, post, cancel, reverse, copy } =
  documentEndpointsOf(record);
export const { created, changed, posted, cancelled, reversed } = eventsOf(record);

/** Tax is rounded line by line. */
export function totals({ lines: given, currency }: Pick<RentalInvoice, 'lines' | 'currency'>) {
  const computed = given.map((line) => {
    const net = line.price.times(ratio(line.time.toText()), 'halfUp');
    const tax = net.times(multiplyRatios(ratio(line.taxPercent), ratio(1n, 100n)), 'halfUp');
    return { ...line, net, tax };
  });
  const sum = (amounts: readonly Money[]) => Money.sum(amounts, currency);
  const [net, tax] = [sum(computed.map((line) => line.net)), sum(computed.map((line) => line.tax))];
  return { lines: computed, net, tax, gross: net.plus(tax) };
}
