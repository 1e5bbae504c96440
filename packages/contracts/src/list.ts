import { z } from 'zod';

/** The query every list understands; add the declared filters with `.extend`. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(500).optional(),
});

/** One page; `next` is the `after` of the following page, or null on the last. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/** Several values of a filter in one parameter: `state=queued,running`. */
export function severalOf<Value extends string>(
  value: z.ZodType<Value> & { readonly options: readonly Value[] },
) {
  const one = `(?:${value.options.join('|')})`;
  const longest = value.options.join(',').length;
  return z.codec(
    z
      .string()
      .max(longest)
      .regex(new RegExp(`^${one}(?:,${one})*$`), {
        error: `must be one or several of ${value.options.join(', ')}, separated by commas`,
      }),
    z.array(value),
    { decode: (text) => text.split(',') as Value[], encode: (values) => values.join(',') },
  );
}
