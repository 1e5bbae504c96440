import { type Deps, defineService, type Route } from '@marimo/service-kit';
import { accountRoutes } from './src/accounts/index.ts';
import { entryImportRoutes } from './src/entry-import/index.ts';
import { journalRoutes, openBooks } from './src/journals/index.ts';
import { ledgerRoutes } from './src/ledger/index.ts';
import { reportRoutes } from './src/reports/index.ts';

/** The ledger: chart of accounts, journals, entries and the balances kept from them. */
export const accounting = defineService({
  name: 'accounting',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [routes],
});

function routes(deps: Deps): Route[] {
  const bookOf = openBooks(deps);
  return [
    ...accountRoutes(deps),
    ...journalRoutes(deps, bookOf),
    ...entryImportRoutes(deps, bookOf),
    ...ledgerRoutes(deps, bookOf),
    ...reportRoutes(bookOf),
  ];
}
