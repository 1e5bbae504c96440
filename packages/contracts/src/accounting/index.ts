import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import {
  changeAccount,
  createAccount,
  createAccountsFromTemplate,
  getAccount,
  importAccounts,
  listAccounts,
  listChartTemplates,
} from './accounts.ts';
import { createJournal, listJournals } from './journals.ts';
import {
  getJournalEntry,
  importJournalEntries,
  listJournalEntries,
  postJournalEntries,
  postJournalEntry,
  reverseJournalEntry,
} from './ledger.ts';
import * as granted from './permissions.ts';
import { getAccountStatement, getTrialBalance } from './reports.ts';

export {
  Account,
  AccountType,
  accountChanged,
  accountCreated,
  ChartTemplate,
  ChartTemplateName,
  changeAccount,
  createAccount,
  createAccountsFromTemplate,
  getAccount,
  importAccounts,
  listAccounts,
  listChartTemplates,
  NewAccount,
} from './accounts.ts';
export { ImportMode, ImportReply, mostRefusedDescribed, RefusedRow } from './import.ts';
export {
  createJournal,
  generalJournalCode,
  Journal,
  journalCreated,
  listJournals,
  NewJournal,
} from './journals.ts';
export {
  BatchResult,
  getJournalEntry,
  importJournalEntries,
  JournalEntry,
  JournalEntrySummary,
  JournalLine,
  journalEntryPosted,
  listJournalEntries,
  PostJournalEntry,
  PostJournalLine,
  postJournalEntries,
  postJournalEntry,
  reverseJournalEntry,
  Side,
} from './ledger.ts';
export {
  AccountArchived,
  AccountBelowItself,
  AccountCodeTaken,
  AccountIsGroup,
  AccountParentUnknown,
  AccountUnknown,
  BalanceTooLarge,
  BaseAmountMissing,
  BaseAmountWrong,
  EntryConflict,
  EntryOutOfBalance,
  EntryReversed,
  JournalCodeTaken,
  JournalUnknown,
} from './refusals.ts';
export {
  AccountStatement,
  getAccountStatement,
  getTrialBalance,
  StatementLine,
  TrialBalance,
} from './reports.ts';

export const endpoints: readonly AnyEndpoint[] = [
  createAccount,
  listAccounts,
  getAccount,
  changeAccount,
  importAccounts,
  listChartTemplates,
  createAccountsFromTemplate,
  createJournal,
  listJournals,
  postJournalEntry,
  postJournalEntries,
  importJournalEntries,
  listJournalEntries,
  getJournalEntry,
  reverseJournalEntry,
  getTrialBalance,
  getAccountStatement,
];

export const permissions: readonly Permission[] = Object.values(granted);
