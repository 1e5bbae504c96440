import { z } from 'zod';

const Text = z.strictObject({ en: z.string().min(1), ru: z.string().min(1) });
const Label = Text.extend({
  help: Text.optional(),
  options: z.record(z.string(), Text).optional(),
  /** Of lines: their own fields. */
  fields: z.record(z.string(), Text).optional(),
});

/**
 * What a record, its fields, states and transitions are called, in a JSON file beside the contract. Pages, the headers of
 * files and the names of permissions are made from it.
 */
export const RecordLabels = z.strictObject({
  one: Text,
  many: Text,
  fields: z.record(z.string(), Label),
  states: z.record(z.string(), Text).optional(),
  transitions: z.record(z.string(), Text).optional(),
});
export type RecordLabels = z.infer<typeof RecordLabels>;
