import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { ImportQuery, ImportReply, RefusedRow } from '../import.ts';
import { RecordArchived } from '../platform/record-refusals.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import { endpointsOf } from '../records/endpoints.ts';
import { choice, flag, text } from '../records/fields.ts';
import { declareRecord } from '../records/record.ts';
import { eventsOf } from '../records/transitions.ts';
import { lineOfText } from '../texts.ts';
import { Language } from '../users/identity.ts';
import labels from './accounts.labels.json' with { type: 'json' };
import { AccountCode, LowerCaseId } from './texts.ts';

const accountTypes = ['asset', 'liability', 'equity', 'income', 'expense'] as const;
export const AccountType = z.enum(accountTypes);
export type AccountType = z.infer<typeof AccountType>;

const Codes = z.object({ accountCodes: z.array(z.string()) });

export class AccountCodeTaken extends refusal(z.object({ accountCode: z.string() }), {
  code: 'accounting.account-code-taken',
  kind: 'conflict',
  title: 'Another account has this code',
  detail: ({ accountCode }) =>
    `Account ${accountCode} exists with another name, type or parent. Choose another code.`,
}) {}

export class AccountParentUnknown extends refusal(z.object({ parentCode: z.string() }), {
  code: 'accounting.account-parent-unknown',
  kind: 'refused',
  title: 'Parent account not found',
  detail: ({ parentCode }) => `Create account ${parentCode} first, or correct parentCode.`,
}) {}

export class AccountParentUnfit extends refusal(
  z.object({
    accountCode: z.string(),
    parentCode: z.string(),
    reason: z.enum(['not-a-group', 'other-type', 'archived']),
  }),
  {
    code: 'accounting.account-parent-unfit',
    kind: 'refused',
    title: 'The account cannot be placed under this parent',
    detail: ({ accountCode, parentCode, reason }) =>
      ({
        'not-a-group': `${parentCode} is not a group. Choose a group as the parent of ${accountCode}.`,
        'other-type': `${parentCode} has another type than ${accountCode}. Choose a group of the same type.`,
        archived: `${parentCode} is archived. Restore it first, or choose another parent for ${accountCode}.`,
      })[reason],
  },
) {}

export class GroupInUse extends refusal(
  z.object({
    accountCode: z.string(),
    /** The first of the accounts below it that are not archived. */
    accountCodes: z.array(z.string()),
  }),
  {
    code: 'accounting.group-in-use',
    kind: 'refused',
    title: 'The group has active accounts',
    detail: ({ accountCode, accountCodes }) =>
      `Archive or move ${accountCodes.join(', ')} before you archive ${accountCode}.`,
  },
) {}

export class AccountBelowItself extends refusal(z.object({ accountCode: z.string() }), {
  code: 'accounting.account-below-itself',
  kind: 'refused',
  title: 'An account cannot be its own parent',
  detail: ({ accountCode }) => `Choose a parent for ${accountCode} that is not below it.`,
}) {}

export class AccountUnknown extends refusal(Codes, {
  code: 'accounting.account-unknown',
  kind: 'refused',
  title: 'Account not found',
  detail: ({ accountCodes }) =>
    `Add ${accountCodes.join(', ')} to the chart of accounts, or correct the account code.`,
}) {}

export class AccountArchived extends refusal(Codes, {
  code: 'accounting.account-archived',
  kind: 'refused',
  title: 'The account is archived',
  detail: ({ accountCodes }) => `Restore ${accountCodes.join(', ')}, or use another account.`,
}) {}

export class AccountIsGroup extends refusal(Codes, {
  code: 'accounting.account-is-group',
  kind: 'refused',
  title: 'A group cannot be posted to',
  detail: ({ accountCodes }) => `Post to an account below ${accountCodes.join(', ')}.`,
}) {}

/** The code names the account for ever; only a group of the same type can be a parent. */
export const record = declareRecord({
  service: 'accounting',
  name: 'account',
  plural: 'accounts',
  labels,
  key: ['code'],
  fields: {
    code: text(50, { required: true, fixed: true }),
    name: text(300, { required: true }),
    type: choice(accountTypes, { required: true, fixed: true }),
    parentCode: text(50),
    isGroup: flag({ fixed: true }),
  },
  searched: ['code', 'name'],
  filtered: ['code', 'type', 'parentCode', 'isGroup'],
  sorts: ['code'],
  grouped: ['type', 'isGroup'],
  refusals: [AccountParentUnknown, AccountParentUnfit, AccountBelowItself, GroupInUse],
});
export type Account = z.output<typeof record.value>;
export type NewAccount = z.output<typeof record.draft>;

/** One `created` for each account, also when a whole chart comes in. */
export const { created, changed } = eventsOf(record);
export const { list, get, archive, restore, bulk, summary, history, exportFile } = endpointsOf(record);

const { create: createAccounts, change: changeAccounts, read: readAccounts } = record.permissions;
const { path } = record;

export const create = endpoint({
  method: 'POST',
  path,
  summary: 'Creates an account. Returns 200 if an identical one exists.',
  access: createAccounts,
  body: record.draft,
  replies: { 201: record.value, 200: record.value },
  refusals: [AccountCodeTaken, AccountParentUnknown, AccountParentUnfit, AccountBelowItself],
});

export const change = endpoint({
  method: 'PATCH',
  path: `${path}/{accountId}`,
  summary:
    'Renames, moves or archives an account. With If-Match, only if it has not changed since it was read.',
  access: changeAccounts,
  params: z.strictObject({ accountId: LowerCaseId }),
  body: z.strictObject({
    name: lineOfText(300).optional(),
    parentCode: AccountCode.nullable().optional(),
    archived: z.boolean().optional(),
  }),
  replies: { 200: record.value },
  refusals: [
    Absent,
    Stale,
    RecordArchived,
    AccountParentUnknown,
    AccountParentUnfit,
    AccountBelowItself,
    GroupInUse,
  ],
});

export const importFile = endpoint({
  method: 'POST',
  path: `${path}/import`,
  summary: 'Imports accounts, parents and children in any order. Repeating the import adds nothing.',
  access: createAccounts,
  query: ImportQuery,
  body: { stream: ['application/json', 'application/x-ndjson', 'text/csv'] },
  bodyLimitBytes: 4 * 1024 * 1024,
  deadlineMs: 60_000,
  replies: {
    200: ImportReply.extend({ refused: z.array(RefusedRow.extend({ code: z.string().nullable() })) }),
  },
  repeat: 'natural',
});

export const ChartTemplateName = z.enum(['ru', 'generic']);
export type ChartTemplateName = z.infer<typeof ChartTemplateName>;

export const ChartTemplate = z.strictObject({
  template: ChartTemplateName,
  name: z.strictObject({ en: z.string(), ru: z.string() }),
  source: z.string(),
  accounts: z.array(
    z.strictObject({
      code: z.string(),
      name: z.strictObject({ en: z.string(), ru: z.string() }),
      type: AccountType,
      parentCode: z.string().nullable(),
      isGroup: z.boolean(),
    }),
  ),
});
export type ChartTemplate = z.infer<typeof ChartTemplate>;

export const listTemplates = endpoint({
  method: 'GET',
  path: '/api/v1/accounting/chart-templates',
  summary: 'Lists the chart of accounts templates.',
  access: readAccounts,
  cache: { freshMs: 60_000, staleIfErrorMs: 3_600_000 }, // changes with a release only
  replies: { 200: z.strictObject({ items: z.array(ChartTemplate) }) },
});

export const createFromTemplate = endpoint({
  method: 'POST',
  path: `${path}/from-template`,
  summary: 'Creates the missing accounts of a template; accounts with the same code are not changed.',
  access: createAccounts,
  body: z.strictObject({ template: ChartTemplateName, language: Language.optional() }),
  replies: { 200: z.strictObject({ created: z.int(), present: z.int() }) },
});
