import { Problem } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf, severalOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { permission } from '../permission.ts';
import type { ServiceName } from '../services.ts';
import { Absent } from './refusals.ts';

export const JobState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled']);
export type JobState = z.infer<typeof JobState>;

/** Work that outlives its request. */
export const Job = z.strictObject({
  jobId: Id,
  /** What work it is: `main.export`. */
  kind: z.string(),
  state: JobState,
  /** How far it is, and of how many; null as long as that is not known. */
  done: z.int(),
  of: z.int().nullable(),
  /** What it is doing, or why it failed. */
  message: z.string().nullable(),
  askedBy: Id,
  askedAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  result: z.json().optional(),
  fileId: Id.optional(),
  problem: Problem.optional(),
});
export type Job = z.output<typeof Job>;

/** The reply of an endpoint that starts a job: 202, and where to look. */
export const JobStarted = z.strictObject({ jobId: Id });

/**
 * How a service shows its jobs. People see and cancel their own; holders of `manage` those of the organisation. The
 * service's contract hands it on as `jobs`, and `manage` among its permissions.
 */
export function jobsOf(service: ServiceName) {
  const path = `/api/v1/${service}/jobs`;
  const params = z.strictObject({ jobId: Id });
  return {
    manage: permission(`${service}.job.manage`, {
      en: 'See and cancel the jobs of others',
      ru: 'Видеть и отменять фоновые задания других',
    }),
    list: endpoint({
      method: 'GET',
      path,
      summary: 'Lists your jobs, newest first; with the right to manage jobs, those of the organisation.',
      access: 'signed-in',
      query: PageQuery.extend({ state: severalOf(JobState).optional() }),
      replies: { 200: pageOf(Job) },
    }),
    get: endpoint({
      method: 'GET',
      path: `${path}/{jobId}`,
      summary: 'Returns a job: its state, its progress and, when it is done, its result.',
      access: 'signed-in',
      params,
      replies: { 200: Job },
      refusals: [Absent],
      polled: true,
    }),
    cancel: endpoint({
      method: 'POST',
      path: `${path}/{jobId}/cancel`,
      summary: 'Cancels a job. What it has done so far stays; a job that has ended is returned as it is.',
      access: 'signed-in',
      params,
      replies: { 200: Job },
      refusals: [Absent],
    }),
    /** Subject: the job. */
    ended: event(
      `${service}.job-ended.v1`,
      z.strictObject({ jobId: Id, kind: z.string(), state: JobState, askedBy: Id, fileId: Id.nullable() }),
    ),
  };
}
export type JobsContract = ReturnType<typeof jobsOf>;
