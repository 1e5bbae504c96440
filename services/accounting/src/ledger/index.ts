export { type CheckedEntry, checkEntries } from './checking.ts';
export { type PostedEntry, postEntries, postingOf, writeEntries } from './posting.ts';
export { type LedgerParts, ledgerRoutes } from './routes.ts';
export { type InTurn, takeTurns } from './turns.ts';
