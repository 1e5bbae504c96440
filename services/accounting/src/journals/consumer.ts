import { sessions } from '@marimo/contracts/users';
import { consumer } from '@marimo/messaging';
import type { Deps } from '@marimo/service-kit';
import { openBook } from './books.ts';

/** An organisation finds its general journal as soon as it is registered. */
export const openBooksAtRegistration = consumer({
  name: 'accounting.books',
  queue: 'accounting_books_queue',
  events: [sessions.organisationRegistered],
  async handle(tx, { data: { organisation } }, { outbox }: Deps) {
    await openBook(tx, outbox, organisation);
  },
});
