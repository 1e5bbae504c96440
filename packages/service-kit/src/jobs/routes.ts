import { Id, Instant, type JobsContract } from '@marimo/contracts';
import { getJob, type Jobs, listJobs } from '@marimo/jobs';
import type { Caller } from '../caller.ts';
import { readPage } from '../http/page.ts';
import { requireFound } from '../http/require-found.ts';
import { handle, type Route, reply } from '../route.ts';

const newestFirst = {
  parts: [Instant, Id],
  keyOf: ({ askedAt, jobId }: { readonly askedAt: Date; readonly jobId: string }) => [askedAt, jobId],
} as const;

/** How people see and cancel the jobs of a service. */
export function jobRoutes({ manage, list, get, cancel }: JobsContract, jobs: Jobs): Route[] {
  const ownOnly = (caller: Caller) => (caller.may(manage.name) ? null : caller.userId);
  return [
    handle(list, async (call) => {
      const { state: states } = call.query;
      const askedBy = ownOnly(call.caller);
      const page = await readPage(call.query, newestFirst, (slice) =>
        call.readInTenant((tx) => listJobs(tx, { askedBy, states, ...slice })),
      );
      return reply(200, page);
    }),
    handle(get, async (call) => {
      const { jobId } = call.params;
      const job = await call.readInTenant((tx) => getJob(tx, jobId, ownOnly(call.caller)));
      return reply(200, requireFound(job, 'job'));
    }),
    handle(cancel, (call) =>
      call.inTenant(async (tx) => {
        const job = await jobs.cancel(tx, call.params.jobId, ownOnly(call.caller));
        return reply(200, requireFound(job, 'job'));
      }),
    ),
  ];
}
