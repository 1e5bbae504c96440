import type { Deps } from '@marimo/service-kit';
import { deleteOldChallenges } from './challenge-store.ts';
import { confirmWithinMs } from './enrolment-routes.ts';
import type { FactorKeys } from './factor-keys.ts';
import { deleteBegunFactors } from './store.ts';

/** Questions nobody answered in time, and apps that never sent a code. */
export async function forgetUnanswered({ database, clock }: Deps): Promise<void> {
  const now = clock();
  await database.withoutTenant(async (tx) => {
    await deleteOldChallenges(tx, now);
    await deleteBegunFactors(tx, { before: new Date(now.getTime() - confirmWithinMs) });
  });
}

/** After a change of JWT_SECRET, as long as the one before is known. */
export async function resealFactorKeys(
  { database }: Pick<Deps, 'database'>,
  keys: FactorKeys,
): Promise<void> {
  await database.withoutTenant((tx) => keys.reseal(tx));
}
