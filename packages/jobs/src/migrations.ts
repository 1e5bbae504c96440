/** The tables of jobs and schedules, for every service's schema. */
export const jobMigrations = new URL('../migrations/', import.meta.url);
