import {
  type AnyEndpoint,
  fieldErrors,
  isStorable,
  MalformedRequest,
  mostFieldErrors,
  type PointerOf,
  pointerInBody,
} from '@marimo/contracts';
import type { FieldError } from '@marimo/problems';
import { z } from 'zod';

export interface RawInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly json: unknown;
}

export interface CheckedInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

const nothing = z.strictObject({});
const inQuery: PointerOf = ([name, ...rest]) => `?${String(name ?? '')}${pointerInBody(rest)}`;
const inPath: PointerOf = ([name]) => `{${String(name ?? '')}}`;

/** Holds the request against its contract; every field that is wrong is named at once. */
export function checkInput({ params, query, body }: AnyEndpoint, raw: RawInput): CheckedInput {
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType, value: unknown, pointerOf: PointerOf) => {
    const result = schema.safeParse(value);
    if (!result.success) errors.push(...fieldErrors(result.error, pointerOf));
    return result.data;
  };

  const checked = {
    params: check(params ?? nothing, storable(raw.params), inPath),
    query: check(query ?? nothing, storable(raw.query), inQuery),
    body: body === undefined || 'stream' in body ? undefined : check(body, raw.json, pointerInBody),
  };
  if (errors.length > 0) throw new MalformedRequest({ errors: errors.slice(0, mostFieldErrors) });
  return checked;
}

/** The address is text from outside too: `%00` in it must not reach the database. */
function storable(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  for (const [name, value] of Object.entries(fields)) {
    if (![name, value].flat().every((text) => isStorable(String(text)))) {
      throw new MalformedRequest({
        errors: [{ pointer: '', detail: 'the address must be well-formed Unicode without NUL characters' }],
      });
    }
  }
  return fields;
}
