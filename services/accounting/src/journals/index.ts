export { type Books, openBooks } from './books.ts';
export { openBooksAtRegistration } from './consumer.ts';
export { journalRoutes } from './routes.ts';
export type { Book } from './store.ts';
