import { Day, Id, newId } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
import { toProblem } from '@marimo/problems';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { z } from 'zod';
import type { Book, Books } from '../journals/index.ts';
import { type CheckedEntry, checkEntries } from './checking.ts';
import { type EntryToPost, isAsWished, reversing } from './ledger.ts';
import { type PostedEntry, type Posting, postEntries, postingOf, writeEntries } from './posting.ts';
import { getEntry, type ListedEntry, listEntries } from './reading-store.ts';
import type { InTurn } from './turns.ts';

/** Latest day first, then highest number, then id. */
const byPlace = {
  parts: [Day, z.string().regex(/^\d{1,18}$/), Id],
  keyOf: ({ place }: ListedEntry) => place,
} as const;

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
      const work = (tx: TenantTransaction) => postOne(tx, postingOf(deps, call, book), call.body);
      return inTurn(call.tenantId, () => call.inTenant(work));
    }),

    handle(journalEntries.postBatch, async (call) => {
      const book = await books.open(call);
      const { entries } = call.body;
      const work = async (tx: TenantTransaction) => {
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
    const work = async (tx: TenantTransaction) => {
      const original = await requireEntry(tx, call.params.entryId, book);
      if (original.reversedBy !== null) {
        const reversal = await requireEntry(tx, original.reversedBy, book);
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
      return reply(200, await call.readInTenant((tx) => requireEntry(tx, call.params.entryId, book)));
    }),

    handle(journalEntries.list, async (call) => {
      const book = await books.of(call);
      const { items, next } = await readPage(call.query, byPlace, (slice) =>
        call.readInTenant((tx) => listEntries(tx, { ...call.query, ...slice }, book.baseCurrency)),
      );
      return reply(200, { items: items.map(({ summary }) => summary), next });
    }),
  ];
}

async function postOne(tx: TenantTransaction, posting: Posting, entry: EntryToPost) {
  const [posted] = await postEntries(tx, posting, [entry]);
  if (posted?.kind === 'accepted') return reply(201, posted.entry);
  if (posted?.kind === 'refused') throw posted.refusal;
  return reply(200, await requireEntry(tx, entry.entryId, posting));
}

async function requireEntry(
  tx: TenantTransaction,
  entryId: string,
  { baseCurrency }: Book,
): Promise<journalEntries.JournalEntry> {
  return requireFound(await getEntry(tx, entryId, baseCurrency), 'journal entry');
}

function batchResult(result: PostedEntry | CheckedEntry): journalEntries.BatchResult {
  const { kind, entryId } = result;
  if (kind === 'refused') return { outcome: kind, entryId, problem: toProblem(result.refusal) };
  if (kind === 'accepted') return { outcome: kind, entryId, number: result.entry.number };
  if (kind === 'ready' || result.number === null) return { outcome: 'left-out', entryId };
  return { outcome: kind, entryId, number: result.number };
}
