import { newId } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps, OrganisationFacts, SignedInCall } from '@marimo/service-kit';
import { type Book, insertBook, insertJournal } from './store.ts';

type BookCall = Pick<SignedInCall, 'tenantId' | 'caller' | 'deadlineAt' | 'signal'>;

/** The books of organisations: opened when an organisation registers, and at the latest by the first posting. */
export interface Books {
  /** Writes nothing. Errors: Unavailable, while the organisation is unknown here and `users` is away. */
  of(call: BookCall): Promise<Book>;
  /** For what writes to the ledger: opens the book where it is not open yet. Errors: as `of`. */
  open(call: BookCall): Promise<Book>;
}

const journalNames = { en: 'General journal', ru: 'Общий журнал' };
const mostRemembered = 10_000;

export function openBooks({
  database,
  outbox,
  organisations,
}: Pick<Deps, 'database' | 'outbox' | 'organisations'>): Books {
  const opened = new Set<string>(); // a book is never closed

  return {
    async of(call) {
      const { baseCurrency } = await organisations.of(call);
      return { baseCurrency };
    },
    async open(call) {
      const { tenantId, deadlineAt, signal } = call;
      const facts = await organisations.of(call);
      if (!opened.has(tenantId)) {
        await database.inTenant(tenantId, (tx) => openBook(tx, outbox, facts), { deadlineAt, signal });
        if (opened.size >= mostRemembered) opened.clear();
        opened.add(tenantId);
      }
      return { baseCurrency: facts.baseCurrency };
    },
  };
}

/** Opens the book together with the general journal; where it is open, changes nothing. */
export async function openBook(
  tx: TenantTransaction,
  outbox: Outbox,
  { baseCurrency, language }: Pick<OrganisationFacts, 'baseCurrency' | 'language'>,
): Promise<void> {
  if (!(await insertBook(tx, { baseCurrency }))) return;
  const journal = { journalId: newId(), code: journals.generalJournalCode, name: journalNames[language] };
  await insertJournal(tx, journal);
  await outbox.add(tx, journals.created, journal.journalId, journal);
}
