import { Problem } from '@marimo/problems';
import { z } from 'zod';

/** `each` takes every row that is right; `all-or-nothing` takes all rows or none. */
export const ImportMode = z.enum(['each', 'all-or-nothing']);
export type ImportMode = z.infer<typeof ImportMode>;

export const ImportQuery = z.strictObject({
  mode: ImportMode.default('each'),
  /** Says what would happen, and does nothing. */
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

/** How many refused rows are described; more are only counted. */
export const mostRefusedDescribed = 10_000;

export const RefusedRow = z.strictObject({
  /** The row as a spreadsheet counts it; of an entry on several rows, its first. In a JSON list, the place in it. */
  line: z.int(),
  problem: Problem,
});

/** How a file of cells was understood. */
export const UnderstoodFile = z.strictObject({
  encoding: z.string(),
  /** Null in a workbook. */
  separator: z.string().nullable(),
  columns: z.array(
    z.strictObject({
      column: z.string(),
      /** What it was taken for; null where it was not read. */
      field: z.string().nullable(),
      /** Such as `amount, decimal comma`. */
      readAs: z.string(),
      /** The first filled cell, as the file writes it and as it was read. */
      example: z.strictObject({ written: z.string(), read: z.string() }).nullable(),
    }),
  ),
});
export type UnderstoodFile = z.output<typeof UnderstoodFile>;

/** Each import adds `refused`: its refused rows, with what they call themselves. */
export const ImportReply = z.strictObject({
  accepted: z.int(),
  /** There already with the same content. */
  repeated: z.int(),
  refusedTotal: z.int(),
  /** A dry run of a file of cells shows how it was read. */
  understood: UnderstoodFile.optional(),
});
