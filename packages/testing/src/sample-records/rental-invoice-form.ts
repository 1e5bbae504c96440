import {
  amountInWords,
  amountText,
  dayText,
  decimalText,
  heading,
  linesTable,
  moneyText,
  pageSumsOf,
  paragraph,
  parties,
  qrCode,
  signatures,
  type Template,
  totalsBlock,
} from '@marimo/printing';
import type { RentalInvoice } from './rental-invoices.ts';

const words = {
  en: {
    title: 'Invoice',
    draft: 'draft',
    supplier: 'Supplier',
    customer: 'Customer',
    columns: ['Description', 'Time', 'Price', 'Tax, %', 'Amount'],
    net: 'Net',
    tax: 'Tax',
    gross: 'Total',
    pageSum: 'Total of this page',
    signs: ['Director', 'Accountant'],
  },
  ru: {
    title: 'Счёт',
    draft: 'черновик',
    supplier: 'Поставщик',
    customer: 'Заказчик',
    columns: ['Наименование', 'Срок', 'Цена', 'НДС, %', 'Сумма'],
    net: 'Без НДС',
    tax: 'НДС',
    gross: 'Итого',
    pageSum: 'Итого по странице',
    signs: ['Руководитель', 'Бухгалтер'],
  },
} as const;

export interface PrintedInvoice {
  readonly invoice: RentalInvoice;
  readonly sellerName: string;
}

/** A form with everything on it. */
export const rentalInvoiceForm: Template<PrintedInvoice> = ({ invoice, sellerName }, language) => {
  const say = words[language];
  const { currency, gross, invoiceDate, number } = invoice;
  const title = `${say.title} ${number ?? `(${say.draft})`}`;
  const [description, time, price, tax, amount] = say.columns;
  const rows = invoice.lines.map((line) => ({
    cells: [
      line.name,
      `${decimalText(line.time.toText(), language)} ${line.time.unit}`,
      amountText(line.price, language),
      decimalText(line.taxPercent, language),
      amountText(line.net, language),
    ],
    sum: line.net,
  }));
  return {
    title,
    language,
    day: invoiceDate,
    pageSums: pageSumsOf(say.pageSum, currency, rows),
    content: [
      heading(`${title}, ${dayText(invoiceDate, language)}`),
      parties([
        { label: say.supplier, lines: [sellerName] },
        { label: say.customer, lines: [invoice.customerName] },
      ]),
      linesTable(
        [
          { title: description, width: '*' },
          { title: time, align: 'right' },
          { title: price, align: 'right' },
          { title: tax, align: 'right' },
          { title: amount, align: 'right' },
        ],
        rows,
      ),
      totalsBlock([
        [say.net, moneyText(invoice.net, language)],
        [say.tax, moneyText(invoice.tax, language)],
        [say.gross, moneyText(gross, language)],
      ]),
      paragraph(amountInWords(gross, language), { bold: true }),
      qrCode(`${title} ${gross.toText()} ${currency}`),
      signatures(say.signs),
    ],
  };
};
