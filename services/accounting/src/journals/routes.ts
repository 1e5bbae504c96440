import { newId } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import type { BookOf } from './book.ts';
import { allJournals, insertJournal, journalWithCode } from './store.ts';

export function journalRoutes({ outbox }: Deps, bookOf: BookOf): Route[] {
  return [
    handle(journals.create, async (call) => {
      await bookOf(call);
      return call.inTenant(async (tx) => {
        const journal = { journalId: newId(), ...call.body };
        if (!(await insertJournal(tx, journal))) {
          const present = await journalWithCode(tx, journal.code);
          if (present?.name !== journal.name)
            throw new journals.JournalCodeTaken({ journalCode: journal.code });
          return reply(200, present);
        }
        await outbox.add(tx, journals.created, journal.journalId, journal);
        return reply(201, journal);
      });
    }),

    handle(journals.list, async (call) => {
      await bookOf(call);
      return call.readInTenant(async (tx) => reply(200, { items: await allJournals(tx) }));
    }),
  ];
}
