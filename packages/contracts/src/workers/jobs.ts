import { jobsOf } from '../platform/jobs.ts';

export const jobs = jobsOf('workers');
