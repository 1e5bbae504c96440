import { organisations } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { listAdministrators, lockOrganisation } from './state-store.ts';

/**
 * Before this person stops being an administrator here, in whatever way: throws `LastAdministrator` if they are one and
 * no other active member is, now and without an end (one whose role runs out would leave nobody). Two who go at once
 * come one after the other, so one of them stays.
 */
export async function requireAnotherAdministrator(
  tx: Transaction,
  personId: string,
  now: Date,
): Promise<void> {
  await lockOrganisation(tx);
  const present = await listAdministrators(tx, now);
  const isOne = present.some((each) => each.personId === personId);
  const another = present.some((each) => each.personId !== personId && each.endless);
  if (isOne && !another) throw new organisations.LastAdministrator({});
}
