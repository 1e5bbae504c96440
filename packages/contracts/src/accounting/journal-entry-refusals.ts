import { refusal } from '@marimo/problems';
import { z } from 'zod';

/** Facts are plain JSON, so money stands here as it travels. */
const Amount = z.object({ amount: z.string(), currency: z.string() });

const inWords = ({ amount, currency }: z.infer<typeof Amount>) => `${amount} ${currency}`;

export class EntryOutOfBalance extends refusal(
  z.object({
    /** Debits minus credits in the currency of the lines, where all share one and it is off. */
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

export class ReversalTooEarly extends refusal(z.object({ postingDate: z.string(), entryDate: z.string() }), {
  code: 'accounting.reversal-too-early',
  kind: 'refused',
  title: 'The reversal is dated before its entry',
  detail: ({ postingDate, entryDate }) =>
    `The entry is of ${entryDate}, the reversal of ${postingDate}. Choose ${entryDate} or a later posting date.`,
}) {}

export class BalanceTooLarge extends refusal(z.object({}), {
  code: 'accounting.balance-too-large',
  kind: 'refused',
  title: 'A balance would grow beyond what the ledger can hold',
  detail: () => 'Nothing of it was posted. Look for an amount with too many digits, here or posted before.',
}) {}
