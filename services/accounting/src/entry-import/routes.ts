import { journalEntries } from '@marimo/contracts/accounting';
import type { Transaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import type { BookOf } from '../journals/index.ts';
import {
  type CheckedEntry,
  checkEntries,
  type InTurn,
  type PostedEntry,
  postEntries,
  postingOf,
  writeEntries,
} from '../ledger/index.ts';
import { startTally, type Tally } from '../rows/index.ts';
import { type FileEntry, readEntries } from './entry-import.ts';

interface Draft {
  readonly line: number;
  readonly entry: journalEntries.PostJournalEntry;
}

/** Journal lines in one transaction of mode `each`: some tens of milliseconds in which other postings wait. */
const linesPerTransaction = 2_000;

export function entryImportRoutes(deps: Deps, bookOf: BookOf, inTurn: InTurn): Route[] {
  return [
    handle(journalEntries.importFile, async (call) => {
      const book = await bookOf(call);
      const posting = postingOf(deps, call, book);
      const { mode, dryRun } = call.query;
      const inPieces = mode === 'each' && !dryRun;
      const time = { deadlineAt: call.deadlineAt, signal: call.signal };
      const tally = startTally();
      const entries = readEntries(call.stream, call.contentType, book.baseCurrency);

      for await (const drafts of piecesOf(entries, inPieces ? linesPerTransaction : Infinity, tally)) {
        // Not call.inTenant: in pieces it is many transactions, and the ids make a repetition safe by themselves.
        const inTransaction = <R>(work: (tx: Transaction) => Promise<R>) =>
          inTurn(call.tenantId, () => deps.database.inTenant(call.tenantId, work, time));
        if (inPieces) {
          await postPiece(drafts, (some) => inTransaction((tx) => postEntries(tx, posting, some)), tally);
          continue;
        }
        const results = await inTransaction(async (tx) => {
          const checked = await checkEntries(tx, book.baseCurrency, drafts.map(entryOf));
          const isSpoilt = tally.refusedTotal > 0 || checked.some(({ kind }) => kind === 'refused');
          return dryRun || isSpoilt ? checked : writeEntries(tx, posting, checked);
        });
        count(drafts, results, tally);
      }
      const { refused, ...counts } = tally.result(mode);
      return reply(200, { ...counts, refused: refused.map(({ key, ...row }) => ({ ...row, entryId: key })) });
    }),
  ];
}

/** A sum beyond what a balance holds fails a whole piece; halving it finds the entries that go too far. */
async function postPiece(
  drafts: readonly Draft[],
  post: (entries: journalEntries.PostJournalEntry[]) => Promise<PostedEntry[]>,
  tally: Tally,
): Promise<void> {
  try {
    count(drafts, await post(drafts.map(entryOf)), tally);
  } catch (error) {
    if (!(error instanceof journalEntries.BalanceTooLarge)) throw error;
    const [first] = drafts;
    if (first !== undefined && drafts.length === 1) {
      tally.refuse(first.line, first.entry.entryId, error);
      return;
    }
    const middle = Math.ceil(drafts.length / 2);
    await postPiece(drafts.slice(0, middle), post, tally);
    await postPiece(drafts.slice(middle), post, tally);
  }
}

const entryOf = ({ entry }: Draft) => entry;

/** The entries that can be read, some at a time; those that cannot go to the tally. */
async function* piecesOf(
  entries: AsyncIterable<FileEntry>,
  mostLines: number,
  tally: Tally,
): AsyncGenerator<Draft[], void, undefined> {
  let drafts: Draft[] = [];
  let lines = 0;
  for await (const each of entries) {
    if ('refusal' in each) {
      tally.refuse(each.line, each.entryId, each.refusal);
      continue;
    }
    drafts.push(each);
    lines += each.entry.lines.length;
    if (lines >= mostLines) {
      yield drafts;
      drafts = [];
      lines = 0;
    }
  }
  if (drafts.length > 0) yield drafts;
}

function count(
  drafts: readonly Draft[],
  results: readonly (CheckedEntry | PostedEntry)[],
  tally: Tally,
): void {
  for (const [index, result] of results.entries()) {
    if (result.kind === 'refused') tally.refuse(drafts[index]?.line ?? 0, result.entryId, result.refusal);
    else if (result.kind === 'repeated') tally.repeated += 1;
    else tally.accepted += 1;
  }
}
