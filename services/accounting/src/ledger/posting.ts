import { journalEntries } from '@marimo/contracts/accounting';
import { currentCause, type Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps, Patience, SignedInCall } from '@marimo/service-kit';
import type { Book } from '../journals/index.ts';
import { type CheckedEntry, checkEntries, type RefusedEntry } from './checking.ts';
import {
  type EntryToPost,
  entryNumber,
  fiscalYearOf,
  type NumberedEntry,
  type ReadyEntry,
  type SignedEntry,
} from './ledger.ts';
import { insertEntries, takeNumbers } from './store.ts';

/** Into which book, and when. */
export interface Posting extends Book {
  readonly postedAt: Date;
  readonly outbox: Outbox;
  /** How long it waits for other postings of the organisation before it is refused as busy. */
  readonly lockWithinMs: number;
}

export type PostedEntry =
  | { readonly kind: 'accepted'; readonly entryId: string; readonly entry: journalEntries.JournalEntry }
  | { readonly kind: 'repeated'; readonly entryId: string; readonly number: string }
  | RefusedEntry;

/** The one path into the ledger: checks all the entries, then writes together those that may be posted. */
export async function postEntries(
  tx: TenantTransaction,
  posting: Posting,
  entries: readonly SignedEntry[],
): Promise<PostedEntry[]> {
  return writeEntries(tx, posting, await checkEntries(tx, posting.baseCurrency, entries));
}

/**
 * Writes what is ready: numbers, entries, lines (the database keeps the balances from them) and an event for each.
 * It comes last in its transaction: from here to the end other postings to the same journals wait.
 */
export async function writeEntries(
  tx: TenantTransaction,
  posting: Posting,
  checked: readonly CheckedEntry[],
): Promise<PostedEntry[]> {
  const ready = checked.filter((each) => each.kind === 'ready');
  const stored = new Map<string, journalEntries.JournalEntry>();
  if (ready.length > 0) {
    const numbered = await withNumbers(tx, ready, posting.lockWithinMs).catch(refuseWaiting);
    for (let from = 0; from < numbered.length; from += mostInStatement) {
      for (const entry of await writeSome(tx, posting, numbered.slice(from, from + mostInStatement)))
        stored.set(entry.entryId, entry);
    }
  }

  return checked.map((each): PostedEntry => {
    if (each.kind === 'refused') return each;
    const entry = stored.get(each.entryId);
    if (each.kind === 'ready' && entry !== undefined)
      return { kind: 'accepted', entryId: each.entryId, entry };
    const number = (each.kind === 'repeated' ? each.number : null) ?? entry?.number;
    if (number === undefined) throw new Error(`The entry ${each.entryId} got no number`);
    return { kind: 'repeated', entryId: each.entryId, number };
  });
}

/** A statement's parameters are held as text, several times over, until it is done. */
const mostInStatement = 1_000;

async function writeSome(
  tx: TenantTransaction,
  { outbox, postedAt }: Posting,
  numbered: readonly NumberedEntry[],
): Promise<journalEntries.JournalEntry[]> {
  const inserted = await insertEntries(tx, numbered, postedAt).catch(refuseOverflow).catch(refuseWaiting);
  if (!inserted) throw new PostedMeanwhile();
  const entries = numbered.map((each) => journalEntryOf(each, postedAt));
  const events = entries.map((data, index) => ({
    subject: data.entryId,
    data,
    cause: numbered[index]?.cause ?? {},
  }));
  await outbox.addAll(tx, journalEntries.posted, events);
  return entries;
}

/** The lock of a series or a balance was not free in time (SQLSTATE 55P03). */
function refuseWaiting(error: unknown): never {
  throw (error as { code?: unknown }).code === '55P03' ? ledgerBusy() : error;
}

function ledgerBusy(): journalEntries.LedgerBusy {
  return new journalEntries.LedgerBusy({}, { retryAfterSeconds: 5 });
}

/** The kept balances and their triggers add up in `bigint`; SQLSTATE 22003 is a sum beyond it. */
function refuseOverflow(error: unknown): never {
  throw (error as { code?: unknown }).code === '22003' ? new journalEntries.BalanceTooLarge({}) : error;
}

/**
 * Posts entries that are refused one by one although a sum beyond what a balance holds fails all of them: halving finds
 * those that go too far. Each call of `post` is a transaction.
 */
export async function postHalving<Entry extends { readonly entryId: string }>(
  entries: readonly Entry[],
  post: (some: readonly Entry[]) => Promise<PostedEntry[]>,
): Promise<PostedEntry[]> {
  try {
    return await post(entries);
  } catch (error) {
    const [first] = entries;
    if (!(error instanceof journalEntries.BalanceTooLarge) || first === undefined) throw error;
    if (entries.length === 1) return [{ kind: 'refused', entryId: first.entryId, refusal: error }];
    const middle = Math.ceil(entries.length / 2);
    const before = await postHalving(entries.slice(0, middle), post);
    return [...before, ...(await postHalving(entries.slice(middle), post))];
  }
}

/** Long before the 15 seconds of a request are over: a busy ledger is told from one that does not answer. */
const waitsAtMostMs = 5_000;

/** How long a posting waits for its turn; what has a longer deadline waits on. */
export const turnWithin: Patience = { ms: waitsAtMostMs, refusal: ledgerBusy };

export function postingInto(book: Book, { outbox, clock }: Pick<Deps, 'outbox' | 'clock'>): Posting {
  return { ...book, outbox, postedAt: clock(), lockWithinMs: waitsAtMostMs };
}

/** Puts the caller's name under entries. Called while the request is the work at hand. */
export function signerOf({ caller }: Pick<SignedInCall, 'caller'>): (entry: EntryToPost) => SignedEntry {
  const by = { postedBy: caller.userId, cause: currentCause() };
  return (entry) => ({ ...entry, ...by });
}

/**
 * Somebody else posted one of the ids, or a reversal of the same entry, between our look and our insert. By its
 * SQLSTATE (serialization failure) the transaction is tried again, and then finds it.
 */
class PostedMeanwhile extends Error {
  override readonly name = 'PostedMeanwhile';
  readonly code = '40001';
}

/** Numbers follow the order of the request; the result is in the order of ids, in which all transactions insert. */
async function withNumbers(
  tx: TenantTransaction,
  ready: readonly ReadyEntry[],
  lockWithinMs: number,
): Promise<NumberedEntry[]> {
  const keyOf = (journalId: string, fiscalYear: number) => `${journalId} ${fiscalYear}`;
  const series = new Map<string, { journalId: string; fiscalYear: number; members: ReadyEntry[] }>();
  for (const each of ready) {
    const fiscalYear = fiscalYearOf(each.entry.postingDate);
    const key = keyOf(each.journalId, fiscalYear);
    const own = series.get(key) ?? { journalId: each.journalId, fiscalYear, members: [] };
    own.members.push(each);
    series.set(key, own);
  }
  const wanted = [...series.values()].map(({ members, ...own }) => ({ ...own, count: members.length }));
  const taken = await takeNumbers(tx, wanted, lockWithinMs);
  const numbered = taken.flatMap(({ journalId, fiscalYear, last }) => {
    const members = series.get(keyOf(journalId, fiscalYear))?.members ?? [];
    return members.map((each, index): NumberedEntry => {
      const sequence = last - BigInt(members.length - 1 - index);
      const number = entryNumber(each.entry.journalCode, fiscalYear, sequence);
      return { ...each, fiscalYear, sequence, number };
    });
  });
  return numbered.sort((a, b) => (a.entryId < b.entryId ? -1 : 1));
}

/** Field by field as `getEntry` gives it, so that a repetition gets the same bytes. */
function journalEntryOf(
  { entry, number, postedBy }: NumberedEntry,
  postedAt: Date,
): journalEntries.JournalEntry {
  const { entryId, journalCode, postingDate, description, reversalOf, lines } = entry;
  return {
    entryId,
    number,
    journalCode,
    postingDate,
    description,
    reversalOf,
    reversedBy: null,
    postedBy,
    postedAt,
    lines: lines.map((line, index) => ({
      lineNumber: index + 1,
      accountCode: line.accountCode,
      side: line.side,
      amount: line.amount,
      baseAmount: line.baseAmount,
      description: line.description,
    })),
  };
}
