import type { PermissionName, Text } from '../permission.ts';

/** Two duties that check each other: held by one hand, nobody checks. Any of `left` with any of `right` conflicts. */
export interface ConflictingDuties {
  /** Stable for ever. */
  readonly id: string;
  readonly title: Text;
  readonly left: readonly PermissionName[];
  readonly right: readonly PermissionName[];
  readonly why: Text;
  /** Where auditors take it from. */
  readonly source: string;
}
