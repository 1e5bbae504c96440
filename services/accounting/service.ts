import { type Deps, defineService, type Route } from '@marimo/service-kit';
import { accountRoutes } from './src/accounts/index.ts';
import { entryImportRoutes } from './src/entry-import/index.ts';
import { journalRoutes, openBooks } from './src/journals/index.ts';
import { ledgerRoutes, takeTurns } from './src/ledger/index.ts';
import { reportRoutes } from './src/reports/index.ts';

/** The ledger: chart of accounts, journals, entries and the balances kept from them. */
export const accounting = defineService({
  name: 'accounting',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [routes],
});

/** Of one organisation in one process: one writes, the next is ready to, the third looks things up. */
const postingsAtOnce = 3;

function routes(deps: Deps): Route[] {
  const bookOf = openBooks(deps);
  const inTurn = takeTurns(postingsAtOnce);
  return [
    ...accountRoutes(deps),
    ...journalRoutes(deps, bookOf),
    ...entryImportRoutes(deps, bookOf, inTurn),
    ...ledgerRoutes(deps, bookOf, inTurn),
    ...reportRoutes(bookOf),
  ];
}
