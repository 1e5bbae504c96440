import { accounts, journalEntries, journals } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
import { Refusal } from '@marimo/problems';
import { type BalancedEntry, balance, digestOf, type ReadyEntry, type SignedEntry } from './ledger.ts';
import { loadReferences, type References } from './store.ts';

export interface RepeatedEntry {
  readonly kind: 'repeated';
  readonly entryId: string;
  /** Null when it repeats an entry of the same request, which has no number yet. */
  readonly number: string | null;
}

export interface RefusedEntry {
  readonly kind: 'refused';
  readonly entryId: string;
  readonly refusal: Refusal;
}

/** What would become of an entry if it were posted now. */
export type CheckedEntry = ReadyEntry | RepeatedEntry | RefusedEntry;

/** Says of each entry, in the order given, what would become of it; writes and locks nothing. */
export async function checkEntries(
  tx: TenantTransaction,
  baseCurrency: string,
  entries: readonly SignedEntry[],
): Promise<CheckedEntry[]> {
  const known = await loadReferences(
    tx,
    new Set(entries.flatMap(({ lines }) => lines.map(({ accountCode }) => accountCode))),
    new Set(entries.map(({ journalCode }) => journalCode)),
    new Set(entries.map(({ entryId }) => entryId)),
  );
  const ready = new Map<string, Buffer>();

  function check(given: SignedEntry): ReadyEntry | RepeatedEntry {
    const { entryId, postedBy, cause } = given;
    const entry = balance(given, baseCurrency);
    const digest = digestOf(entry);
    const number = known.posted.get(entryId)?.number ?? null;
    const taken = known.posted.get(entryId)?.digest ?? ready.get(entryId);
    if (taken?.equals(digest)) return { kind: 'repeated', entryId, number };
    if (taken !== undefined) throw new journalEntries.EntryConflict({ entryId, number });

    const journalId = known.journalIds.get(entry.journalCode);
    if (journalId === undefined) throw new journals.JournalUnknown({ journalCode: entry.journalCode });
    const accountIds = accountIdsOf(entry, known.accounts);
    ready.set(entryId, digest);
    return { kind: 'ready', entryId, entry, digest, journalId, accountIds, postedBy, cause };
  }

  return entries.map((given) => {
    try {
      return check(given);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { kind: 'refused', entryId: given.entryId, refusal: error };
    }
  });
}

/** Errors: AccountUnknown, AccountIsGroup or AccountArchived, each naming all codes it applies to. */
function accountIdsOf({ lines }: BalancedEntry, chart: References['accounts']): string[] {
  const unknown = new Set<string>();
  const groups = new Set<string>();
  const archived = new Set<string>();
  const ids = lines.map(({ accountCode }) => {
    const account = chart.get(accountCode);
    if (account === undefined) unknown.add(accountCode);
    else if (account.isGroup) groups.add(accountCode);
    else if (account.archived) archived.add(accountCode);
    return account?.accountId ?? '';
  });
  if (unknown.size > 0) throw new accounts.AccountUnknown({ accountCodes: [...unknown] });
  if (groups.size > 0) throw new accounts.AccountIsGroup({ accountCodes: [...groups] });
  if (archived.size > 0) throw new accounts.AccountArchived({ accountCodes: [...archived] });
  return ids;
}
