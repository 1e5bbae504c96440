import { Problem } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { ImportMode, ImportQuery, ImportReply, RefusedRow } from '../import.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Day, Instant, MoneyOnWire, PositiveMoney } from '../measures.ts';
import { Absent } from '../platform/refusals.ts';
import { lineOfText } from '../texts.ts';
import { AccountArchived, AccountIsGroup, AccountUnknown } from './accounts.ts';
import {
  BalanceTooLarge,
  BaseAmountMissing,
  BaseAmountWrong,
  EntryConflict,
  EntryOutOfBalance,
  EntryReversed,
  LedgerBusy,
  ReversalTooEarly,
} from './journal-entry-refusals.ts';
import { generalJournalCode, JournalUnknown } from './journals.ts';
import { postEntries, readEntries, reverseEntries } from './permissions.ts';
import { AccountCode, JournalCode, LowerCaseId } from './texts.ts';

export * from './journal-entry-refusals.ts';

export const Side = z.enum(['debit', 'credit']);
export type Side = z.infer<typeof Side>;

export const PostJournalLine = z.strictObject({
  accountCode: AccountCode,
  side: Side,
  amount: PositiveMoney,
  /** What the amount is worth in the organisation's base currency; needed when it is in another one. */
  baseAmount: MoneyOnWire.optional(),
  description: lineOfText(1_000).optional(),
});

/** Minor units: 1,000 trillion roubles. What is larger is a slip, and sums of many entries must fit the database. */
const mostMinorOfEntry = 10n ** 17n;
const isLarge = (lines: readonly z.output<typeof PostJournalLine>[]) =>
  lines.reduce((sum, { amount, baseAmount }) => sum + amount.minor + (baseAmount?.minor ?? 0n), 0n) >
  mostMinorOfEntry;

/** The caller picks `entryId`, so a retry after a lost reply posts once. */
export const PostJournalEntry = z.strictObject({
  entryId: LowerCaseId,
  journalCode: JournalCode.default(generalJournalCode),
  postingDate: Day, // an accounting day: no time, no zone
  description: lineOfText(1_000),
  lines: z
    .array(PostJournalLine)
    .min(2)
    .max(10_000)
    .refine((lines) => !isLarge(lines), {
      error: 'the amounts of the entry exceed the limit',
      when: ({ issues }) => issues.length === 0, // an amount that was refused is no Money
    }),
});
export type PostJournalEntry = z.output<typeof PostJournalEntry>;

export const JournalLine = z.strictObject({
  lineNumber: z.int(),
  accountCode: z.string(),
  side: Side,
  amount: MoneyOnWire,
  baseAmount: MoneyOnWire,
  description: z.string().nullable(),
});

export const JournalEntry = z.strictObject({
  entryId: Id,
  /** Without gap or duplicate within its journal and year: `GJ-2026-000123`. */
  number: z.string(),
  journalCode: z.string(),
  postingDate: Day,
  description: z.string(),
  lines: z.array(JournalLine),
  /** The entry that this one takes back, and the one that takes this one back. */
  reversalOf: Id.nullable(),
  reversedBy: Id.nullable(),
  postedBy: Id,
  postedAt: Instant,
});
export type JournalEntry = z.output<typeof JournalEntry>;

/**
 * Subject: the entry. A reversal is an entry too: `reversalOf` names what it takes back.
 * A breaking change is a new `.v2` type, published beside `.v1` until the last consumer has moved.
 */
export const posted = event('accounting.journal-entry-posted.v1', JournalEntry);

const path = '/api/v1/accounting/journal-entries';
const mebibyte = 1024 * 1024;

/** Why an entry may not be posted. */
const postingRefusals = [
  EntryOutOfBalance,
  BaseAmountMissing,
  BaseAmountWrong,
  AccountUnknown,
  AccountArchived,
  AccountIsGroup,
  JournalUnknown,
  EntryConflict,
  BalanceTooLarge,
  LedgerBusy,
];

export const post = endpoint({
  method: 'POST',
  path,
  summary: 'Posts a journal entry. Returns 200 if an identical one was posted before.',
  access: postEntries,
  body: PostJournalEntry,
  bodyLimitBytes: 8 * mebibyte,
  replies: { 201: JournalEntry, 200: JournalEntry },
  refusals: postingRefusals,
});

const Posted = { entryId: Id, number: z.string() };

export const BatchResult = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('accepted'), ...Posted }),
  z.strictObject({ outcome: z.literal('repeated'), ...Posted }),
  z.strictObject({ outcome: z.literal('refused'), entryId: Id, problem: Problem }),
  /** Right in itself, but not posted, because another one of an all-or-nothing batch was refused. */
  z.strictObject({ outcome: z.literal('left-out'), entryId: Id }),
]);
export type BatchResult = z.output<typeof BatchResult>;

export const postBatch = endpoint({
  method: 'POST',
  path: `${path}/batch`,
  summary: 'Posts up to 1,000 journal entries and returns the result of each in the order given.',
  access: postEntries,
  query: z.strictObject({ mode: ImportMode.default('each') }),
  body: z.strictObject({ entries: z.array(PostJournalEntry).min(1).max(1_000) }),
  bodyLimitBytes: 16 * mebibyte,
  deadlineMs: 30_000,
  replies: { 200: z.strictObject({ results: z.array(BatchResult) }) },
  refusals: [LedgerBusy, BalanceTooLarge], // only all-or-nothing, where it cannot be laid to one entry
});

export const importFile = endpoint({
  method: 'POST',
  path: `${path}/import`,
  summary: 'Imports journal entries: JSON with one entry per line, or CSV with one entry line per row.',
  access: postEntries,
  query: ImportQuery,
  body: { stream: ['application/x-ndjson', 'text/csv'] },
  bodyLimitBytes: 64 * mebibyte,
  deadlineMs: 120_000,
  replies: {
    200: ImportReply.extend({ refused: z.array(RefusedRow.extend({ entryId: z.string().nullable() })) }),
  },
  refusals: [LedgerBusy, BalanceTooLarge], // only all-or-nothing, where it cannot be laid to one entry
  // The ids of the entries make a repetition safe.
  repeat: 'natural',
});

const EntryParams = z.strictObject({ entryId: LowerCaseId });

export const get = endpoint({
  method: 'GET',
  path: `${path}/{entryId}`,
  summary: 'Returns a journal entry with its lines.',
  access: readEntries,
  params: EntryParams,
  replies: { 200: JournalEntry },
  refusals: [Absent],
});

/** An entry in a list, without its lines; `total` is what it moves, in the base currency. */
export const JournalEntrySummary = JournalEntry.omit({ lines: true }).extend({ total: MoneyOnWire });
export type JournalEntrySummary = z.output<typeof JournalEntrySummary>;

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'Lists journal entries, latest posting date first.',
  access: readEntries,
  query: PageQuery.extend({
    from: Day.optional(),
    to: Day.optional(),
    accountCode: AccountCode.optional(),
    journalCode: JournalCode.optional(),
    text: lineOfText(100).optional(), // anywhere in number or description
  }),
  replies: { 200: pageOf(JournalEntrySummary) },
});

export const reverse = endpoint({
  method: 'POST',
  path: `${path}/{entryId}/reverse`,
  summary:
    'Posts the reversing entry with debits and credits exchanged. Returns 200 if an identical reversal exists.',
  access: reverseEntries,
  params: EntryParams,
  body: z.strictObject({
    /** The reversing entry's own id; made when absent. */
    entryId: LowerCaseId.optional(),
    /** That of the entry when absent, and never before it. */
    postingDate: Day.optional(),
    description: lineOfText(1_000).optional(),
  }),
  replies: { 201: JournalEntry, 200: JournalEntry },
  refusals: [
    Absent,
    EntryReversed,
    ReversalTooEarly,
    EntryConflict,
    AccountArchived,
    BalanceTooLarge,
    LedgerBusy,
  ],
});
