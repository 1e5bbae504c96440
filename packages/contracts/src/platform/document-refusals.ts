import { refusal } from '@marimo/problems';
import { z } from 'zod';

export class NumbersWouldRepeat extends refusal(z.object({ number: z.string() }), {
  code: 'platform.numbers-would-repeat',
  kind: 'refused',
  title: 'Numbers would be given twice',
  detail: ({ number }) =>
    `Numbers such as ${number} have been given. Choose a higher number, or a pattern that differs in its letters and signs.`,
}) {}

export class NumbersWouldHaveGap extends refusal(z.object({ number: z.string() }), {
  code: 'platform.numbers-would-have-gap',
  kind: 'refused',
  title: 'Numbers would be left out',
  detail: ({ number }) =>
    `This series has no gaps, and ${number} was given last. The next number follows it.`,
}) {}

export class TotalsOutOfDate extends refusal(z.object({ fields: z.array(z.string()) }), {
  code: 'platform.totals-out-of-date',
  kind: 'conflict',
  title: 'The totals are not those of the lines',
  detail: ({ fields }) =>
    `${fields.join(', ')} would be others today. Save the draft again, look at its totals, and post it then.`,
}) {}

export class ReversalBeforeOriginal extends refusal(z.object({ date: z.string() }), {
  code: 'platform.reversal-before-original',
  kind: 'refused',
  title: 'A document cannot be reversed before its own date',
  detail: ({ date }) => `The document is dated ${date}. Reverse it on that day or later.`,
}) {}
