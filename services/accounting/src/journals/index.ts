export { type BookOf, openBooks } from './book.ts';
export { journalRoutes } from './routes.ts';
export type { Book } from './store.ts';
