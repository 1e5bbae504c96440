import { customFieldsOf, filesOf, jobsOf, numberSeriesOf } from '@marimo/contracts';
import { importsOf } from '@marimo/contracts/records';
import { documentRoutes, documentsOf } from '@marimo/documents';
import { copiesOf, mirrorOf } from '@marimo/mirrors';
import { createPrinter, type PrintOptions, printRoutes } from '@marimo/printing';
import { recordsOf } from '@marimo/records';
import { customFieldRoutes, defineService, numberSeriesRoutes, recordRoutes } from '@marimo/service-kit';
import * as partners from './partners.ts';
import { type PrintedInvoice, rentalInvoiceForm } from './rental-invoice-form.ts';
import * as rentalInvoices from './rental-invoices.ts';
import * as shelves from './shelves.ts';
import * as tools from './tools.ts';

/** What the service keeps of the partners of another. */
export const partnerMirror = mirrorOf(partners, {
  fields: ['code', 'name', 'contactEmail', 'creditLimit'],
  table: 'partner_mirror',
});

export const customFields = customFieldsOf('config');
export const numberSeries = numberSeriesOf('config', [rentalInvoices.record.series]);

/** A service with the sample records. It borrows the name of a real one. */
export const toolService = defineService({
  name: 'config',
  migrations: new URL('./migrations/', import.meta.url),
  mirrors: [partnerMirror],
  jobs: { contract: jobsOf('config'), kinds: [] },
  files: filesOf('config', { upload: 'signed-in', read: 'signed-in' }),
  imports: importsOf('config'),
  routes: [
    (deps) => recordRoutes(shelves, recordsOf(shelves.record, deps), deps),
    (deps) => {
      const { lookUps } = copiesOf(partnerMirror, deps);
      const refersTo = [shelves.record];
      return recordRoutes(tools, recordsOf(tools.record, { ...deps, lookUps }), deps, { refersTo });
    },
    (deps) => {
      const { record, totals } = rentalInvoices;
      const invoices = documentsOf(record, { ...deps, totals });
      const printing: PrintOptions<PrintedInvoice> = {
        printer: createPrinter(),
        async load(tx, id, { organisation }) {
          const invoice = await invoices.records.find(tx, id);
          return invoice && { invoice, sellerName: organisation.name };
        },
        forms: { invoice: rentalInvoiceForm },
      };
      return [
        ...documentRoutes(rentalInvoices, invoices, deps),
        ...printRoutes(rentalInvoices, printing, deps),
      ];
    },
    (deps) => numberSeriesRoutes(numberSeries, deps),
    (deps) => customFieldRoutes(customFields, [tools.record, shelves.record, rentalInvoices.record], deps),
  ],
});
