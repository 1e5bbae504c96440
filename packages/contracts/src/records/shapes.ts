import { Problem } from '@marimo/problems';
import { z } from 'zod';
import { Id } from '../ids.ts';
import { Instant, MoneyOnWire, QuantityOnWire } from '../measures.ts';
import type { Transitions } from './record.ts';

/** One change of a record. Of personal fields it says only that they changed. */
export const RecordChange = z.strictObject({
  version: z.int(),
  /** `created`, `changed`, `archived`, `restored`, or what a transition is called. */
  action: z.string(),
  at: Instant,
  by: Id,
  /** What a transition was told, such as a reason. */
  told: z.json(),
  changes: z.array(
    z.strictObject({
      field: z.string(),
      /** Both as on the wire; absent for personal fields. */
      from: z.json().optional(),
      to: z.json().optional(),
    }),
  ),
});
export type RecordChange = z.output<typeof RecordChange>;

/** How many records a list has in all. */
export const RecordCount = z.strictObject({ value: z.int(), isExact: z.boolean() });
export type RecordCount = z.output<typeof RecordCount>;

const Measured = z.union([z.string(), z.array(MoneyOnWire), z.array(QuantityOnWire), z.null()]);
const Measures = z.record(z.string(), Measured).optional();
/** One group of a summary. Money is added up for each currency, quantities for each unit; other numbers are decimal text. */
export const SummaryGroup = z.strictObject({
  by: z.record(z.string(), z.union([z.string(), z.boolean(), z.null()])),
  count: z.int(),
  sum: Measures,
  average: Measures,
  least: Measures,
  most: Measures,
});
export type SummaryGroup = z.output<typeof SummaryGroup>;

/** What a column of versions holds. */
export const Version = z.int().min(0).max(2_147_483_647);

export const mostInBulk = 1_000;

export const BulkResult = z.strictObject({
  id: Id,
  outcome: z.enum(['done', 'unchanged', 'refused']),
  version: z.int().optional(),
  problem: Problem.optional(),
});
export type BulkResult = z.output<typeof BulkResult>;

export function bulkBody<Patch>(patch: z.ZodType<Patch>, transitions: Transitions) {
  const bodies = Object.values(transitions).flatMap(({ body }) => (body === undefined ? [] : [body]));
  /** What the transition wants to be told. */
  const told = bodies.length > 0 ? { with: z.union(bodies).optional() } : {};
  const item = z.strictObject({ id: Id, version: Version.optional() });
  return z.strictObject({
    /** `change`, `archive`, `restore` or a transition, each with its own permission. */
    action: z.enum(['change', 'archive', 'restore', ...Object.keys(transitions)]),
    items: z
      .array(item)
      .min(1)
      .max(mostInBulk)
      .refine((items) => new Set(items.map(({ id }) => id)).size === items.length, {
        error: 'must name each record once',
      }),
    change: patch.optional(),
    ...told,
  });
}

export function idParams<Name extends string>(idField: string) {
  return z.strictObject({ [idField]: Id }) as unknown as z.ZodType<{ readonly [K in `${Name}Id`]: string }>;
}
