import { createHash } from 'node:crypto';
import { journalEntries } from '@marimo/contracts/accounting';
import { Money } from '@marimo/measures';
import type { Cause } from '@marimo/messaging';

export interface LedgerLine {
  readonly accountCode: string;
  readonly side: journalEntries.Side;
  readonly amount: Money;
  readonly baseAmount: Money;
  readonly description: string | null;
}

declare const balanced: unique symbol; // only balance() makes one: the store never sees an unchecked entry
export interface BalancedEntry extends Omit<journalEntries.PostJournalEntry, 'lines'> {
  readonly reversalOf: string | null;
  readonly lines: readonly LedgerLine[];
  readonly [balanced]: true;
}

/** What can be posted: an entry as a caller sends it, or one that takes another back. */
export type EntryToPost = journalEntries.PostJournalEntry & { readonly reversalOf?: string };

/** Whose it is to answer for, and the request it came in. */
interface Signature {
  readonly postedBy: string;
  readonly cause: Cause;
}

export type SignedEntry = EntryToPost & Signature;

/**
 * Checks the double-entry rule: total debits equal total credits in the base currency, and in the lines' own currency
 * where all lines share one.
 *
 * Units:  amounts are minor units of their own currency.
 * Shape:  two or more lines, every amount above zero; the contract has checked both.
 * Errors: BaseAmountMissing, BaseAmountWrong; EntryOutOfBalance, carrying debits minus credits for what is off.
 * Source: docs/domain/ledger.md#balance-rule. The database checks it again when the lines arrive.
 */
export function balance(entry: EntryToPost, baseCurrency: string): BalancedEntry {
  const lines = entry.lines.map((line, index): LedgerLine => {
    const baseAmount = baseAmountOf(line, index + 1, baseCurrency);
    return { ...line, baseAmount, description: line.description ?? null };
  });
  const isOfOneCurrency = lines.every(({ amount }) => amount.currency === lines[0]?.amount.currency);
  const differences = isOfOneCurrency ? differencesOf(lines, ({ amount }) => amount) : [];
  const [baseDifference = null] = differencesOf(lines, ({ baseAmount }) => baseAmount);
  if (differences.length > 0 || baseDifference !== null) {
    throw new journalEntries.EntryOutOfBalance({
      differences: differences.map((each) => each.toJSON()),
      baseDifference: baseDifference?.toJSON() ?? null,
    });
  }
  return { ...entry, reversalOf: entry.reversalOf ?? null, lines } as unknown as BalancedEntry;
}

function baseAmountOf(
  line: journalEntries.PostJournalEntry['lines'][number],
  number: number,
  baseCurrency: string,
): Money {
  const { amount, baseAmount } = line;
  if (baseAmount === undefined) {
    if (amount.currency === baseCurrency) return amount;
    throw new journalEntries.BaseAmountMissing({ line: number, baseCurrency });
  }
  const isRight =
    baseAmount.currency === baseCurrency &&
    !baseAmount.isNegative() &&
    (amount.currency !== baseCurrency || amount.equals(baseAmount));
  if (!isRight) throw new journalEntries.BaseAmountWrong({ line: number, baseCurrency });
  return baseAmount;
}

/** Debits minus credits of each currency where they differ. */
function differencesOf(lines: readonly LedgerLine[], measured: (line: LedgerLine) => Money): Money[] {
  const totals = new Map<string, bigint>();
  for (const line of lines) {
    const { minor, currency } = measured(line);
    totals.set(currency, (totals.get(currency) ?? 0n) + (line.side === 'debit' ? minor : -minor));
  }
  return [...totals]
    .filter(([, minor]) => minor !== 0n)
    .map(([currency, minor]) => Money.ofMinor(minor, currency));
}

/** SHA-256 of what an entry says: the same id with another digest is another entry. */
export function digestOf(entry: BalancedEntry): Buffer {
  const content = [
    entry.journalCode,
    entry.postingDate,
    entry.description,
    entry.reversalOf,
    ...entry.lines.map(({ accountCode, side, amount, baseAmount, description }) => [
      accountCode,
      side,
      amount.currency,
      String(amount.minor),
      String(baseAmount.minor),
      description,
    ]),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest();
}

/** The numbers of a legal series: `GJ-2026-000123`. The fiscal year is the calendar year of the posting date. */
export function entryNumber(journalCode: string, fiscalYear: number, sequence: bigint): string {
  return `${journalCode}-${fiscalYear}-${String(sequence).padStart(6, '0')}`;
}

export function fiscalYearOf(postingDate: string): number {
  return Number(postingDate.slice(0, 4));
}

/** An entry that may be posted, with all the database needs to know of it but its number. */
export interface ReadyEntry extends Signature {
  readonly kind: 'ready';
  readonly entryId: string;
  readonly entry: BalancedEntry;
  readonly digest: Buffer;
  readonly journalId: string;
  /** Of each line. */
  readonly accountIds: readonly string[];
}

export interface NumberedEntry extends ReadyEntry {
  readonly fiscalYear: number;
  readonly sequence: bigint;
  readonly number: string;
}

export interface ReversalWish {
  readonly entryId?: string | undefined;
  readonly postingDate?: string | undefined;
  readonly description?: string | undefined;
}

/**
 * The entry with debits and credits exchanged; it takes back every amount, in every currency, on the same accounts.
 * Errors: ReversalTooEarly.
 */
export function reversing(
  original: journalEntries.JournalEntry,
  entryId: string,
  wish: ReversalWish,
): EntryToPost {
  const { postingDate = original.postingDate } = wish;
  if (postingDate < original.postingDate) {
    throw new journalEntries.ReversalTooEarly({ postingDate, entryDate: original.postingDate });
  }
  return {
    entryId,
    journalCode: original.journalCode,
    postingDate,
    // "Storno" is understood by accountants from Lisbon to Vladivostok.
    description: wish.description ?? `Storno ${original.number}`,
    reversalOf: original.entryId,
    lines: original.lines.map(({ accountCode, side, amount, baseAmount, description }) => ({
      accountCode,
      side: side === 'debit' ? 'credit' : 'debit',
      amount,
      baseAmount,
      ...(description !== null && { description }),
    })),
  };
}

/** Whether a reversal that is there already is the one that is asked for; what is not asked for does not matter. */
export function isAsWished(reversal: journalEntries.JournalEntry, wish: ReversalWish): boolean {
  return (
    (wish.entryId ?? reversal.entryId) === reversal.entryId &&
    (wish.postingDate ?? reversal.postingDate) === reversal.postingDate &&
    (wish.description ?? reversal.description) === reversal.description
  );
}
