import { jobsOf, newId } from '@marimo/contracts';
import { createOutbox, createWake, outboxMigrations } from '@marimo/messaging';
import { createLog, createMetrics, type Metrics } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { z } from 'zod';
import {
  type Asker,
  createJobs,
  type JobKind,
  type JobRunnerOptions,
  type Jobs,
  jobKind,
  jobMigrations,
  type ResultFiles,
  startJobRunner,
} from '../src/index.ts';

export const workshopFolders = [
  outboxMigrations,
  jobMigrations,
  new URL('./migrations/', import.meta.url),
] as const;
export const contract = jobsOf('factory');
export const anna: Asker = { userId: newId(), roles: ['foreman'], grants: ['factory.order.release'] };

export type WorkInput = { readonly steps: number };

/** A job that leaves an effect for each step and can go on where it was. */
export const makeParts = jobKind({
  kind: 'factory.make-parts',
  input: z.strictObject({ steps: z.int() }),
  async run(run) {
    const { steps } = run.input;
    for (let step = 1; step <= steps; step += 1) {
      run.signal.throwIfAborted();
      await run.inTenant(async (tx) => {
        const insert = `insert into effect (tenant_id, job_id, step)
                        select $1, $2, $3
                        where not exists (select from effect where tenant_id = $1 and job_id = $2 and step = $3)`;
        await tx.run(insert, [tx.tenantId, run.jobId, step]);
      });
      run.progress({ done: step, of: steps, message: `Step ${step}` });
    }
    return { result: { made: steps } };
  },
});

/** None of its jobs leaves a file. */
const noFiles: ResultFiles = { attach: async () => {}, detach: async () => {} };

export interface Workshop {
  readonly jobs: Jobs;
  readonly wake: ReturnType<typeof createWake>;
  readonly metrics: Metrics;
  /** Starts one process' worth of running jobs. */
  run(options?: Partial<JobRunnerOptions<undefined>>): { close(): Promise<void> };
}

/** One instance of a service that has jobs, without HTTP. */
export function workshop(
  data: { readonly database: Database; readonly relay: Database },
  kinds: readonly JobKind<undefined>[],
  clock: () => Date = () => new Date(),
): Workshop {
  const { database, relay: relayDatabase } = data;
  const wake = createWake();
  const outbox = createOutbox({ service: 'factory', clock, onAdded: () => {} });
  const log = createLog({ service: 'factory', level: 'silent' });
  const metrics = createMetrics('factory');
  const shared = { service: 'factory', contract, outbox, wake, clock, log };
  return {
    wake,
    jobs: createJobs(shared),
    metrics,
    run: (options = {}) =>
      startJobRunner({
        ...shared,
        kinds,
        deps: undefined,
        database,
        relayDatabase,
        metrics,
        files: noFiles,
        beatMs: 50,
        retryDelayMs: () => 20,
        ...options,
      }),
  };
}
