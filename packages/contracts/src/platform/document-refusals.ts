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
