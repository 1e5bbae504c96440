export * as accounts from './accounts.ts';
export { duties } from './duties.ts';
export * as journalEntries from './journal-entries.ts';
export * as journals from './journals.ts';
export * as permissions from './permissions.ts';
export * as reports from './reports.ts';
export { grants } from './role-grants.ts';
