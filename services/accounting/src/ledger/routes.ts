import { Day, Id, newId } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
import { toProblem } from '@marimo/problems';
import {
  type Deps,
  type GroupMember,
  groupCommit,
  handle,
  type LimitConcurrency,
  type Outcome,
  type Reply,
  type Route,
  readPage,
  reply,
  requireFound,
} from '@marimo/service-kit';
import { z } from 'zod';
import type { Book, Books } from '../journals/index.ts';
import { type CheckedEntry, checkEntries } from './checking.ts';
import { isAsWished, reversing, type SignedEntry } from './ledger.ts';
import {
  type PostedEntry,
  postEntries,
  postHalving,
  postingInto,
  signerOf,
  turnWithin,
  writeEntries,
} from './posting.ts';
import { getEntry, type ListedEntry, listEntries } from './reading-store.ts';

/** Latest day first, then highest number, then id. */
const byPlace = {
  parts: [Day, z.string().regex(/^\d{1,18}$/), Id],
  keyOf: ({ place }: ListedEntry) => place,
} as const;

/** What writing to the ledger needs of the running service. */
export interface LedgerParts {
  readonly books: Books;
  /** Keyed by organisation: its postings wait for each other's numbers anyway. */
  readonly limit: LimitConcurrency;
  /**
   * For single postings, one group at a time: what arrives while it is written gathers for the next. A second group
   * would only take a connection to wait for the numbers of the first, and leave fewer to share its commit.
   */
  readonly limitGroups: LimitConcurrency;
}

export function ledgerRoutes(deps: Deps, parts: LedgerParts): Route[] {
  return [
    postRoute(deps, parts),
    postBatchRoute(deps, parts),
    reversalRoute(deps, parts),
    ...readingRoutes(parts),
  ];
}

const mostInOneCommit = 100;

function postRoute(deps: Deps, { books, limitGroups }: LedgerParts): Route {
  interface Member extends GroupMember {
    readonly book: Book;
    readonly entry: SignedEntry;
  }
  const post = groupCommit({
    database: deps.database,
    limit: limitGroups,
    atMost: mostInOneCommit,
    patience: turnWithin,
    work: async (tx, members: readonly Member[]) => {
      const [{ book }] = members as [Member];
      const results = await postEntries(
        tx,
        postingInto(book, deps),
        members.map(({ entry }) => entry),
      );
      return Promise.all(results.map((result) => outcomeOf(tx, book, result)));
    },
  });
  return handle(journalEntries.post, async (call) => {
    const book = await books.open(call);
    return post({ call, book, entry: signerOf(call)(call.body) });
  });
}

function postBatchRoute(deps: Deps, { books, limit }: LedgerParts): Route {
  return handle(journalEntries.postBatch, async (call) => {
    const book = await books.open(call);
    const entries = call.body.entries.map(signerOf(call));
    const allOrNothing = call.query.mode === 'all-or-nothing';
    const inTurn = <R>(work: () => Promise<R>) => limit(call.tenantId, work, turnWithin);
    const work = async (tx: TenantTransaction) => {
      const checked = await checkEntries(tx, book.baseCurrency, entries);
      const isSpoilt = allOrNothing && checked.some(({ kind }) => kind === 'refused');
      const results = isSpoilt ? checked : await writeEntries(tx, postingInto(book, deps), checked);
      return reply(200, { results: results.map(batchResult) });
    };
    try {
      return await inTurn(() => call.inTenant(work));
    } catch (error) {
      if (allOrNothing || !(error instanceof journalEntries.BalanceTooLarge)) throw error;
    }
    // In several transactions: if it ends between them, a repetition finds by the ids what is posted.
    const inPieces = await postHalving(entries, (some) =>
      inTurn(() => call.inTenantOf(call.tenantId, (tx) => postEntries(tx, postingInto(book, deps), some))),
    );
    return call.inTenant(async () => reply(200, { results: inPieces.map(batchResult) }));
  });
}

function reversalRoute(deps: Deps, { books, limit }: LedgerParts): Route {
  return handle(journalEntries.reverse, async (call) => {
    const book = await books.open(call);
    const work = async (tx: TenantTransaction) => {
      const original = await requireEntry(tx, call.params.entryId, book);
      if (original.reversedBy !== null) {
        const reversal = await requireEntry(tx, original.reversedBy, book);
        if (isAsWished(reversal, call.body)) return reply(200, reversal);
        throw new journalEntries.EntryReversed({ entryId: reversal.entryId, number: reversal.number });
      }
      const reversal = signerOf(call)(reversing(original, call.body.entryId ?? newId(), call.body));
      const [result] = await postEntries(tx, postingInto(book, deps), [reversal]);
      const outcome = await outcomeOf(tx, book, result as PostedEntry);
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.reply;
    };
    return limit(call.tenantId, () => call.inTenant(work), turnWithin);
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

/** A repetition is answered with the entry as it is by now: it may have been reversed. */
async function outcomeOf(
  tx: TenantTransaction,
  book: Book,
  result: PostedEntry,
): Promise<Outcome<Reply<typeof journalEntries.post>>> {
  if (result.kind === 'refused') return { refusal: result.refusal };
  if (result.kind === 'accepted') return { reply: reply(201, result.entry) };
  return { reply: reply(200, await requireEntry(tx, result.entryId, book)) };
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
