export { type CheckedEntry, checkEntries } from './checking.ts';
export {
  type PostedEntry,
  postEntries,
  postHalving,
  postingInto,
  signerOf,
  writeEntries,
} from './posting.ts';
export { type LedgerParts, ledgerRoutes } from './routes.ts';
