import type { journalEntries } from '@marimo/contracts/accounting';
import type { Refusal } from '@marimo/problems';

/** An entry of a file, or why it is none. */
export type FileEntry = {
  /** Of several rows the first. */
  readonly row: number;
} & (
  | {
      readonly entry: journalEntries.PostJournalEntry;
      /** The row of each line, where a line is a row of its own. */
      readonly rows?: readonly number[];
    }
  | { readonly entryId: unknown; readonly refusal: Refusal }
);
