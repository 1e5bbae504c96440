import { type Deps, limitConcurrencyByKey } from '@marimo/service-kit';
import { openBooks } from './journals/index.ts';
import type { LedgerParts } from './ledger/index.ts';

/** Transactions of one organisation in one process: one writes, the next looks up what it needs. */
const postingsAtOnce = 2;

/** What the slices of one running service share. */
export function makeParts(deps: Deps): LedgerParts {
  return {
    books: openBooks(deps),
    limit: limitConcurrencyByKey(postingsAtOnce),
    limitGroups: limitConcurrencyByKey(1),
  };
}
