import type { Permission, Text } from './permission.ts';

/** Two duties that check each other: held by one hand, nobody checks. Any of `left` with any of `right` conflicts. */
export interface ConflictingDuties {
  /** Stable for ever. */
  readonly id: string;
  readonly title: Text;
  /** The declarations themselves, so that no pair can name a permission that does not exist. */
  readonly left: readonly Permission[];
  readonly right: readonly Permission[];
  readonly why: Text;
  /** Where auditors take it from. */
  readonly source: string;
}
