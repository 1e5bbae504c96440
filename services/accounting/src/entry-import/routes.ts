import { journalEntries } from '@marimo/contracts/accounting';
import { type ImportReport, startReport } from '@marimo/file-import';
import type { TenantTransaction } from '@marimo/postgres';
import type { Refusal } from '@marimo/problems';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import {
  type CheckedEntry,
  checkEntries,
  type LedgerParts,
  type PostedEntry,
  postEntries,
  postHalving,
  postingInto,
  signerOf,
  writeEntries,
} from '../ledger/index.ts';
import { openEntryFile } from './entry-import.ts';
import type { FileEntry } from './file-entry.ts';

type Draft = Extract<FileEntry, { entry: unknown }>;

/** It has two minutes, and half of its work done when it waits. */
const importWaitsAtMostMs = 60_000;

/** Journal lines in one transaction of mode `each`: some tens of milliseconds in which other postings wait. */
const linesPerTransaction = 2_000;

export function entryImportRoutes(deps: Deps, { books, limit }: LedgerParts): Route[] {
  return [
    handle(journalEntries.importFile, async (call) => {
      const book = await books.open(call);
      const posting = { ...postingInto(book, deps), lockWithinMs: importWaitsAtMostMs };
      const signed = signerOf(call);
      const { mode, dryRun } = call.query;
      const time = { deadlineAt: call.deadlineAt, signal: call.signal };
      // Not call.inTenant: in pieces it is many transactions, and the ids make a repetition safe by themselves.
      const inTransaction = <R>(work: (tx: TenantTransaction) => Promise<R>) =>
        limit(call.tenantId, () => deps.database.inTenant(call.tenantId, work, time));
      const report = startReport();
      const inFile = repetitionsInFile();
      const file = await openEntryFile(call.stream, call.contentType, book.baseCurrency);
      try {
        const pieces = piecesOf(file.entries, mode === 'each' ? linesPerTransaction : Infinity, report);
        for await (const drafts of pieces) {
          if (mode === 'each' && !dryRun) {
            const posted = await postHalving(drafts.map(entryOf), (some) =>
              inTransaction((tx) => postEntries(tx, posting, some.map(signed))),
            );
            count(drafts, posted, report);
            continue;
          }
          const results = await inTransaction(async (tx) => {
            const checked = await checkEntries(tx, book.baseCurrency, drafts.map(entryOf).map(signed));
            const isSpoilt = report.refusedTotal > 0 || checked.some(({ kind }) => kind === 'refused');
            return dryRun || isSpoilt ? checked : writeEntries(tx, posting, checked);
          });
          count(drafts, mode === 'each' ? inFile(results) : results, report);
        }
        const { refused, ...counts } = report.result(mode);
        const understood = dryRun ? file.understood() : undefined;
        return reply(200, {
          ...counts,
          refused: refused.map(({ key, ...row }) => ({ ...row, entryId: key })),
          ...(understood !== undefined && { understood }),
        });
      } finally {
        await file.close();
      }
    }),
  ];
}

/** A dry run in pieces writes nothing, so it remembers of the pieces before what would be in the books by now. */
function repetitionsInFile() {
  const digests = new Map<string, Buffer>();
  return (results: readonly (CheckedEntry | PostedEntry)[]): (CheckedEntry | PostedEntry)[] =>
    results.map((result) => {
      if (result.kind !== 'ready') return result;
      const { entryId, digest } = result;
      const before = digests.get(entryId);
      if (before === undefined) {
        digests.set(entryId, digest);
        return result;
      }
      return before.equals(digest)
        ? { kind: 'repeated', entryId, number: null }
        : { kind: 'refused', entryId, refusal: new journalEntries.EntryConflict({ entryId, number: null }) };
    });
}

const entryOf = ({ entry }: Draft) => entry;

/** The entries that can be read, some at a time; those that cannot go to the report. */
async function* piecesOf(
  entries: AsyncIterable<FileEntry>,
  mostLines: number,
  report: ImportReport,
): AsyncGenerator<Draft[], void, undefined> {
  let drafts: Draft[] = [];
  let lines = 0;
  for await (const each of entries) {
    if ('refusal' in each) {
      report.refuse(each.row, each.entryId, each.refusal);
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
  report: ImportReport,
): void {
  for (const [index, result] of results.entries()) {
    const draft = drafts[index];
    if (result.kind === 'refused') {
      report.refuse(draft?.row ?? 0, result.entryId, inRows(result.refusal, draft?.rows));
    } else if (result.kind === 'repeated') report.repeated += 1;
    else report.accepted += 1;
  }
}

/** Of an entry whose lines are rows, a refusal names the row instead of the line. */
function inRows(refusal: Refusal, rows: readonly number[] | undefined): Refusal {
  for (const Wrong of [journalEntries.BaseAmountMissing, journalEntries.BaseAmountWrong]) {
    if (refusal instanceof Wrong) {
      const { line, ...facts } = refusal.facts;
      return new Wrong({ ...facts, line: rows?.[line - 1] ?? line });
    }
  }
  return refusal;
}
