export { forgetJobs } from './forget-jobs.ts';
export {
  type Asker,
  type JobKind,
  type JobOutcome,
  type JobRun,
  jobKind,
  type Progress,
} from './job-kind.ts';
export { createJobs, type JobRequest, type Jobs, type ScheduleRequest } from './jobs.ts';
export { jobMigrations } from './migrations.ts';
export { startJobRunner } from './runner.ts';
export type { JobRunnerOptions, ResultFiles } from './runner-options.ts';
export { InvalidCron, nextTime } from './schedules.ts';
export { getJob, type JobFilter, listJobs } from './store.ts';
