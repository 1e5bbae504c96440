import { listTenantsOfEnded } from './claim-store.ts';
import type { JobRunnerOptions } from './runner-options.ts';
import { deleteEnded } from './store.ts';

/** Deleted in one transaction. */
const atOnce = 500;
const withinMs = 20_000;

/** Deletes the jobs that ended so long ago. The files they were given or made go with them: nothing refers to these any more. */
export async function forgetJobs(
  { database, relayDatabase, files }: Pick<JobRunnerOptions<never>, 'database' | 'relayDatabase' | 'files'>,
  olderThanDays: number,
): Promise<void> {
  const within = () => ({ deadlineAt: Date.now() + withinMs });
  const tenantIds = await relayDatabase.withoutTenant(
    (tx) => listTenantsOfEnded(tx, olderThanDays),
    within(),
  );
  for (const tenantId of tenantIds) {
    for (let deleted = atOnce; deleted === atOnce; ) {
      deleted = await database.inTenant(
        tenantId,
        async (tx) => {
          const jobs = await deleteEnded(tx, olderThanDays, atOnce);
          for (const { jobId } of jobs) await files.detach(tx, { kind: 'job', id: jobId });
          return jobs.length;
        },
        within(),
      );
    }
  }
}
