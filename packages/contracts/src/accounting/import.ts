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

/** The answer to an import whose rows are known by `key`: an id or a code of the caller's. */
export function importReply<Key extends string>(key: Key) {
  const Row = z.strictObject({
    /** 1 is the first line of the file; of a row on several lines, the first. */
    line: z.int(),
    [key]: z.string().nullable(),
    problem: Problem,
  } as { line: z.ZodInt; problem: typeof Problem } & Record<Key, z.ZodNullable<z.ZodString>>);
  return z.strictObject({
    accepted: z.int(),
    /** There already with the same content. */
    repeated: z.int(),
    refused: z.array(Row).max(mostRefusedDescribed),
    refusedTotal: z.int(),
  });
}
