import { type Log, runPeriodically } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { deleteOldAnswers } from './store.ts';

const everyMs = 10 * 60_000;

/** Deletes kept answers once nobody can expect them any more. Needs the relay's eyes: it works for all tenants at once. */
export function forgetOldAnswers(database: Database, log: Log): () => Promise<void> {
  return runPeriodically({ name: 'forgetting old answers', pauseMs: everyMs, log }, async () => {
    await database.withoutTenant(deleteOldAnswers);
  });
}
