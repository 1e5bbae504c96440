export * as audit from './audit.ts';
export { duties } from './duties.ts';
export * as emails from './emails.ts';
export { jobs } from './jobs.ts';
export * as notifications from './notifications.ts';
export * as personalRecords from './people.ts';
export * as permissions from './permissions.ts';
export { grants } from './role-grants.ts';
