import type { ConflictingDuties } from './duty-pair.ts';
import { futureDuties } from './separation-to-come.ts';
import { dutiesOfToday } from './separation-today.ts';

/** Those of today, and those that begin to count when their services declare the permissions. */
export const conflictingDuties: readonly ConflictingDuties[] = [...dutiesOfToday, ...futureDuties];

/** Whether it can happen: each side has a permission that there is. */
export function isLive({ left, right }: ConflictingDuties, known: ReadonlySet<string>): boolean {
  return left.some((name) => known.has(name)) && right.some((name) => known.has(name));
}
