import { refusal } from '@marimo/problems';
import { z } from 'zod';

/** Facts are plain JSON, so money stands here as it travels. */
const Amount = z.object({ amount: z.string(), currency: z.string() });
const Codes = z.object({ accountCodes: z.array(z.string()) });

const inWords = ({ amount, currency }: z.infer<typeof Amount>) => `${amount} ${currency}`;

export class EntryOutOfBalance extends refusal(
  z.object({
    /** Debits minus credits of each currency that is off. */
    differences: z.array(Amount),
    /** The same for the base amounts, when they are off. */
    baseDifference: Amount.nullable(),
  }),
  {
    code: 'accounting.entry-out-of-balance',
    kind: 'refused',
    title: 'Debits and credits of the entry differ',
    detail: ({ differences, baseDifference }) =>
      [
        ...differences.map((each) => `Debits minus credits are ${inWords(each)}.`),
        ...(baseDifference === null
          ? []
          : [`In the base currency debits minus credits are ${inWords(baseDifference)}.`]),
      ].join(' '),
  },
) {}

export class BaseAmountMissing extends refusal(z.object({ line: z.int(), baseCurrency: z.string() }), {
  code: 'accounting.base-amount-missing',
  kind: 'refused',
  title: 'A line in a foreign currency lacks its base amount',
  detail: ({ line, baseCurrency }) => `Line ${line} needs baseAmount: what it is worth in ${baseCurrency}.`,
}) {}

export class BaseAmountWrong extends refusal(z.object({ line: z.int(), baseCurrency: z.string() }), {
  code: 'accounting.base-amount-wrong',
  kind: 'refused',
  title: 'A base amount contradicts its line',
  detail: ({ line, baseCurrency }) =>
    `Line ${line}: baseAmount is in ${baseCurrency}, never negative, and for an amount in ${baseCurrency} it is that amount.`,
}) {}

export class AccountUnknown extends refusal(Codes, {
  code: 'accounting.account-unknown',
  kind: 'refused',
  title: 'The chart has no such account',
  detail: ({ accountCodes }) => `Add ${accountCodes.join(', ')} to the chart of accounts, or mend the code.`,
}) {}

export class AccountArchived extends refusal(Codes, {
  code: 'accounting.account-archived',
  kind: 'refused',
  title: 'The account is archived',
  detail: ({ accountCodes }) =>
    `Use another account than ${accountCodes.join(', ')}, or take it back into use.`,
}) {}

export class AccountIsGroup extends refusal(Codes, {
  code: 'accounting.account-is-group',
  kind: 'refused',
  title: 'A group takes no postings',
  detail: ({ accountCodes }) => `Post to an account below ${accountCodes.join(', ')}.`,
}) {}

export class AccountCodeTaken extends refusal(z.object({ accountCode: z.string() }), {
  code: 'accounting.account-code-taken',
  kind: 'conflict',
  title: 'Another account has this code',
  detail: ({ accountCode }) =>
    `There is an account ${accountCode} with another name, type or place. Choose another code.`,
}) {}

export class AccountParentUnknown extends refusal(z.object({ parentCode: z.string() }), {
  code: 'accounting.account-parent-unknown',
  kind: 'refused',
  title: 'The chart has no such parent account',
  detail: ({ parentCode }) => `Add ${parentCode} first, or mend parentCode.`,
}) {}

export class AccountBelowItself extends refusal(z.object({ accountCode: z.string() }), {
  code: 'accounting.account-below-itself',
  kind: 'refused',
  title: 'An account cannot stand below itself',
  detail: ({ accountCode }) => `Choose a parent for ${accountCode} that does not stand below it.`,
}) {}

export class JournalUnknown extends refusal(z.object({ journalCode: z.string() }), {
  code: 'accounting.journal-unknown',
  kind: 'refused',
  title: 'There is no such journal',
  detail: ({ journalCode }) => `Add the journal ${journalCode}, or mend the code.`,
}) {}

export class JournalCodeTaken extends refusal(z.object({ journalCode: z.string() }), {
  code: 'accounting.journal-code-taken',
  kind: 'conflict',
  title: 'Another journal has this code',
  detail: ({ journalCode }) => `There is a journal ${journalCode} with another name. Choose another code.`,
}) {}

export class EntryConflict extends refusal(
  z.object({
    entryId: z.uuid(),
    /** Null when the other one is in the same request. */
    number: z.string().nullable(),
  }),
  {
    code: 'accounting.entry-conflict',
    kind: 'conflict',
    title: 'This id was used for another entry',
    detail: ({ entryId, number }) =>
      `${entryId} is ${number ?? 'in this request'} with other content. Give this entry an id of its own.`,
  },
) {}

export class EntryReversed extends refusal(z.object({ entryId: z.uuid(), number: z.string() }), {
  code: 'accounting.entry-reversed',
  kind: 'conflict',
  title: 'The entry is reversed already',
  detail: ({ number }) => `It was reversed once, by ${number}; that entry stays as it is.`,
}) {}

export class BalanceTooLarge extends refusal(z.object({}), {
  code: 'accounting.balance-too-large',
  kind: 'refused',
  title: 'A balance would grow beyond what the ledger can hold',
  detail: () => 'Nothing of it was posted. Look for an amount with too many digits, here or posted before.',
}) {}
