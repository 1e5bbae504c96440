import { Absent, Day, Id, newId } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import type { Transaction } from '@marimo/postgres';
import { toProblem } from '@marimo/problems';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import type { Book, Books } from '../journals/index.ts';
import { type CheckedEntry, checkEntries } from './checking.ts';
import { type EntryToPost, isAsWished, reversing } from './ledger.ts';
import { type PostedEntry, type Posting, postEntries, postingOf, writeEntries } from './posting.ts';
import { entryWithId, listOfEntries } from './reading-store.ts';
import type { InTurn } from './turns.ts';

/** What writing to the ledger needs of the running service. */
export interface LedgerParts {
  readonly books: Books;
  readonly inTurn: InTurn;
}

export function ledgerRoutes(deps: Deps, parts: LedgerParts): Route[] {
  return [...postingRoutes(deps, parts), reversalRoute(deps, parts), ...readingRoutes(parts)];
}

function postingRoutes(deps: Deps, { books, inTurn }: LedgerParts): Route[] {
  return [
    handle(journalEntries.post, async (call) => {
      const book = await books.open(call);
      const work = (tx: Transaction) => postOne(tx, postingOf(deps, call, book), call.body);
      return inTurn(call.tenantId, () => call.inTenant(work));
    }),

    handle(journalEntries.postBatch, async (call) => {
      const book = await books.open(call);
      const { entries } = call.body;
      const work = async (tx: Transaction) => {
        const checked = await checkEntries(tx, book.baseCurrency, entries);
        const isSpoilt =
          call.query.mode === 'all-or-nothing' && checked.some(({ kind }) => kind === 'refused');
        const results = isSpoilt ? checked : await writeEntries(tx, postingOf(deps, call, book), checked);
        return reply(200, { results: results.map(batchResult) });
      };
      return inTurn(call.tenantId, () => call.inTenant(work));
    }),
  ];
}

function reversalRoute(deps: Deps, { books, inTurn }: LedgerParts): Route {
  return handle(journalEntries.reverse, async (call) => {
    const book = await books.open(call);
    const work = async (tx: Transaction) => {
      const original = await demandEntry(tx, call.params.entryId, book);
      if (original.reversedBy !== null) {
        const reversal = await demandEntry(tx, original.reversedBy, book);
        if (isAsWished(reversal, call.body)) return reply(200, reversal);
        throw new journalEntries.EntryReversed({ entryId: reversal.entryId, number: reversal.number });
      }
      const reversal = reversing(original, call.body.entryId ?? newId(), call.body);
      return postOne(tx, postingOf(deps, call, book), reversal);
    };
    return inTurn(call.tenantId, () => call.inTenant(work));
  });
}

function readingRoutes({ books }: LedgerParts): Route[] {
  return [
    handle(journalEntries.get, async (call) => {
      const book = await books.of(call);
      return reply(200, await call.readInTenant((tx) => demandEntry(tx, call.params.entryId, book)));
    }),

    handle(journalEntries.list, async (call) => {
      const book = await books.of(call);
      const { limit, after, ...filter } = call.query;
      const place = readCursor(after, Day, z.string().regex(/^\d{1,18}$/), Id);
      const found = await call.readInTenant((tx) =>
        listOfEntries(tx, { ...filter, after: place, limit: limit + 1 }, book.baseCurrency),
      );
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      const next = last === undefined ? null : cursorOf(...last.place);
      return reply(200, { items: page.map(({ summary }) => summary), next });
    }),
  ];
}

async function postOne(tx: Transaction, posting: Posting, entry: EntryToPost) {
  const [posted] = await postEntries(tx, posting, [entry]);
  if (posted?.kind === 'accepted') return reply(201, posted.entry);
  if (posted?.kind === 'refused') throw posted.refusal;
  return reply(200, await demandEntry(tx, entry.entryId, posting));
}

async function demandEntry(
  tx: Transaction,
  entryId: string,
  { baseCurrency }: Book,
): Promise<journalEntries.JournalEntry> {
  const entry = await entryWithId(tx, entryId, baseCurrency);
  if (entry === undefined) throw new Absent({ resource: 'journal entry' });
  return entry;
}

function batchResult(result: PostedEntry | CheckedEntry): journalEntries.BatchResult {
  const { kind, entryId } = result;
  if (kind === 'refused') return { outcome: kind, entryId, problem: toProblem(result.refusal) };
  if (kind === 'accepted') return { outcome: kind, entryId, number: result.entry.number };
  if (kind === 'ready' || result.number === null) return { outcome: 'left-out', entryId };
  return { outcome: kind, entryId, number: result.number };
}
