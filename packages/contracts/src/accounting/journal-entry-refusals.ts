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
  title: 'A line in a foreign currency has no base amount',
  detail: ({ line, baseCurrency }) => `Add baseAmount, the amount in ${baseCurrency}, to line ${line}.`,
}) {}

export class BaseAmountWrong extends refusal(z.object({ line: z.int(), baseCurrency: z.string() }), {
  code: 'accounting.base-amount-wrong',
  kind: 'refused',
  title: 'A base amount contradicts its line',
  detail: ({ line, baseCurrency }) =>
    `Line ${line}: baseAmount must be in ${baseCurrency} and not negative; for an amount in ${baseCurrency} it must equal the amount.`,
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
    title: 'An entry with this id exists',
    detail: ({ entryId, number }) =>
      `${entryId} is ${number ?? 'in this request'} with other content. Use a new id.`,
  },
) {}

export class EntryReversed extends refusal(z.object({ entryId: z.uuid(), number: z.string() }), {
  code: 'accounting.entry-reversed',
  kind: 'conflict',
  title: 'The entry is already reversed',
  detail: ({ number }) => `It was reversed by ${number}.`,
}) {}

export class ReversalTooEarly extends refusal(z.object({ postingDate: z.string(), entryDate: z.string() }), {
  code: 'accounting.reversal-too-early',
  kind: 'refused',
  title: 'The reversal is dated before its entry',
  detail: ({ postingDate, entryDate }) =>
    `The entry is of ${entryDate}, the reversal of ${postingDate}. Choose ${entryDate} or a later posting date.`,
}) {}

export class LedgerBusy extends refusal(z.object({}), {
  code: 'accounting.ledger-busy',
  kind: 'busy',
  title: 'A large posting of your organisation is still running',
  detail: () => 'Nothing was posted. Retry after the time given in Retry-After; an import may take a minute.',
}) {}

export class BalanceTooLarge extends refusal(z.object({}), {
  code: 'accounting.balance-too-large',
  kind: 'refused',
  title: 'A balance would exceed what the ledger can hold',
  detail: () =>
    'Nothing was posted. Look for an amount with too many digits, in this entry or in earlier ones.',
}) {}
