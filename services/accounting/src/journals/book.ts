import { newId } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import type { Deps, SignedInCall } from '@marimo/service-kit';
import { type Book, findBook, insertBook, insertJournal } from './store.ts';

export type BookOf = (
  call: Pick<SignedInCall, 'tenantId' | 'caller' | 'deadlineAt' | 'signal'>,
) => Promise<Book>;

const journalNames = { en: 'General journal', ru: 'Общий журнал' };
const mostKept = 10_000;

/**
 * The book of the caller's organisation, opened at its first use of the ledger together with the general journal.
 * Its base currency never changes, so it is asked of `users` once and kept in memory after that.
 *
 * Errors: Unavailable, when the book is not open yet and `users` is away.
 */
export function openBooks({
  database,
  outbox,
  organisations,
}: Pick<Deps, 'database' | 'outbox' | 'organisations'>): BookOf {
  const kept = new Map<string, Book>();

  async function open({ tenantId, caller, deadlineAt, signal }: Parameters<BookOf>[0]): Promise<Book> {
    const time = { deadlineAt, signal };
    const found = await database.inTenant(tenantId, findBook, { ...time, readOnly: true });
    if (found !== undefined) return found;
    const { baseCurrency, language } = await organisations.of({ tenantId, caller, ...time });
    return database.inTenant(
      tenantId,
      async (tx) => {
        const book = { baseCurrency };
        if (!(await insertBook(tx, book))) return (await findBook(tx)) ?? book; // another request was first
        const name = journalNames[language];
        const journal = { journalId: newId(), code: journals.generalJournalCode, name };
        await insertJournal(tx, journal);
        await outbox.add(tx, journals.created, journal.journalId, journal);
        return book;
      },
      time,
    );
  }

  return async (call) => {
    const known = kept.get(call.tenantId);
    if (known !== undefined) return known;
    const book = await open(call);
    if (kept.size >= mostKept) kept.clear();
    kept.set(call.tenantId, book);
    return book;
  };
}
