export { type Book, type BookOf, openBooks } from './book.ts';
export { journalRoutes } from './routes.ts';
