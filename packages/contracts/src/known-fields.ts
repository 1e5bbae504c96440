import type { z } from 'zod';

/**
 * Holds what another service says against its contract. In a rolling upgrade a newer one may say fields we do not know
 * yet; they are left out, at any depth, and are no mistake.
 *
 * @param json belongs to the caller and is changed: what is unknown is taken out of it
 */
export function parseKnownFields<S extends z.ZodType>(
  schema: S,
  json: unknown,
): z.ZodSafeParseResult<z.output<S>> {
  const parsed = schema.safeParse(json);
  const unknownFields = parsed.error?.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [],
  );
  if (unknownFields === undefined || unknownFields.length === 0) return parsed;
  for (const path of unknownFields) removeAt(json, path);
  return schema.safeParse(json);
}

function removeAt(json: unknown, path: readonly PropertyKey[]): void {
  const place = path.slice(0, -1).reduce((inside, step) => Reflect.get(inside as object, step), json);
  Reflect.deleteProperty(place as object, path.at(-1) as PropertyKey);
}
