import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceUnderTest } from '@marimo/testing';

/**
 * Holds a row while the work begins, until so many wait for it, and lets go: then they meet for certain, however fast
 * the machine is.
 */
export async function raceAt<T>(
  users: ServiceUnderTest,
  row: { readonly sql: string; readonly values: readonly unknown[]; readonly waiting: number },
  work: () => Promise<T>,
): Promise<T> {
  let begun: Promise<T> | undefined;
  await users.database.database.withoutTenant(async (tx) => {
    await tx.run(row.sql, row.values);
    begun = work();
    const giveUpAt = Date.now() + 10_000;
    while ((await waitingFor(users)) < row.waiting) {
      if (Date.now() > giveUpAt) throw new Error(`Fewer than ${row.waiting} came to wait`);
      await pause(5);
    }
  });
  if (begun === undefined) throw new Error('The work did not begin');
  return begun;
}

async function waitingFor(users: ServiceUnderTest): Promise<number> {
  const [row] = await users.database.sql<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.waiting ?? 0;
}
