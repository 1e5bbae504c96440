import { defineService } from '@marimo/service-kit';
import { accountRoutes } from './src/accounts/index.ts';
import { entryImportRoutes } from './src/entry-import/index.ts';
import { journalRoutes, openBooksAtRegistration } from './src/journals/index.ts';
import { ledgerRoutes } from './src/ledger/index.ts';
import { makeParts } from './src/parts.ts';
import { reportRoutes } from './src/reports/index.ts';

/** The ledger: chart of accounts, journals, entries and the balances kept from them. */
export const accounting = defineService({
  name: 'accounting',
  migrations: new URL('./migrations/', import.meta.url),
  parts: makeParts,
  routes: [accountRoutes, journalRoutes, entryImportRoutes, ledgerRoutes, reportRoutes],
  consumers: [openBooksAtRegistration],
});
