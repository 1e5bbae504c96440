import { newId } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import type { Books } from './books.ts';
import { getJournal, insertJournal, listJournals } from './store.ts';

export function journalRoutes({ outbox }: Deps, { books }: { readonly books: Books }): Route[] {
  return [
    handle(journals.create, async (call) => {
      await books.open(call);
      return call.inTenant(async (tx) => {
        const journal = { journalId: newId(), ...call.body };
        if (!(await insertJournal(tx, journal))) {
          const present = await getJournal(tx, journal.code);
          if (present?.name !== journal.name)
            throw new journals.JournalCodeTaken({ journalCode: journal.code });
          return reply(200, present);
        }
        await outbox.add(tx, journals.created, journal.journalId, journal);
        return reply(201, journal);
      });
    }),

    handle(journals.list, (call) =>
      call.readInTenant(async (tx) => reply(200, { items: await listJournals(tx) })),
    ),
  ];
}
