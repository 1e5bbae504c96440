export type { Content, Language, PageSums, PrintedForm, Template } from './form.ts';
export {
  heading,
  linesTable,
  pageSumsOf,
  paragraph,
  parties,
  qrCode,
  signatures,
  type TableColumn,
  type TableRow,
  totalsBlock,
} from './parts.ts';
export { createPrinter, type Printer } from './printer.ts';
export { type PrintOptions, printRoutes } from './routes.ts';
export { amountText, dayText, decimalText, moneyText } from './texts.ts';
export { amountInWords } from './words.ts';
